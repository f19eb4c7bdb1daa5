/** An event on its way to other servers. One object for all of them. */
export interface OutgoingPdu {
  readonly room: number;
  readonly nid: number;
  readonly pos: number;
  /** Its canonical JSON, as it is stored. */
  readonly text: Buffer;
}
