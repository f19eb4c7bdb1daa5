/** The tables as kysely sees them. The columns' meanings stand in migrations/; both engines give the same JavaScript types. */

/** Ids, positions and times are integers below 2^53. */
export type Int = number;

export interface Schema {
  server_fact: { name: string; value: string };
  sequence: { name: string; reserved_until: Int };
  user_name: { user_nid: Int; user_id: string; server_nid: Int };
  server_name: { server_nid: Int; name: string };
  state_key: { skey: Int; type: string; key: string };

  event: {
    nid: Int;
    event_id: string;
    room: Int;
    ord: Int | null;
    pos: Int | null;
    type: string;
    sender: Int;
    skey: Int | null;
    ts: Int;
    depth: Int;
    sline: Int | null;
    spos: Int | null;
    flags: Int;
    redacted_by: Int | null;
    notify_seq: Int;
  };
  event_body: { nid: Int; body: Buffer };
  missing_ref: { event_id: string; by_nid: Int; room: Int; counted: Int };
  extremity: { room: Int; nid: Int };
  txn_id: { device: Int; path: string; txn: string; nid: Int | null; ts: Int };
  relation: {
    room: Int;
    target_id: string;
    rel_type: string;
    ord: Int;
    nid: Int;
    event_id: string;
    sender: Int;
    ts: Int;
    variant: string;
    target2_id: string | null;
    target3_id: string | null;
  };
  thread: { room: Int; root_id: string; latest_ord: Int; events: Int };
  auth_node: { nid: Int; room: Int; skey: Int; adepth: Int; chain: Int; seq: Int; auth: Buffer };
  auth_edge: { auth_nid: Int; nid: Int };
  state_line: { line: Int; room: Int; parent: Int | null; parent_pos: Int | null; depth: Int; flags: Int };
  state_change: { line: Int; skey: Int; pos: Int; event: Int | null; prev: Int | null };
  room_main: { room: Int; from_pos: Int; line: Int };
  given_state: { nid: Int; parent_id: string; line: Int; pos: Int };

  room: {
    room: Int;
    room_id: string;
    version: string;
    main_line: Int;
    purge_pos: Int;
    partial_nid: Int | null;
    flags: Int;
  };
  user_room: {
    user_nid: Int;
    room: Int;
    membership: string;
    event: Int;
    pos: Int;
    read_ord: Int;
    notify_read: Int;
    forgotten: Int;
  };
  member_room: { user_nid: Int; room: Int; membership: string };
  room_server: { room: Int; server_nid: Int; joined: Int };
  stripped_state: { user_nid: Int; room: Int; json: string };
  foreign_membership: { user_nid: Int; room: Int; event_id: string; json: string; server_nid: Int };
  partial_room: { room: Int; event_id: string; started_ts: Int; filled_pos: Int | null };
  partial_room_server: { room: Int; server_nid: Int; rank: Int };
  room_alias: { alias: string; room: Int; creator: Int };
  published_room: { room: Int };
  delayed_event: {
    delay_id: string;
    user_nid: Int;
    room: Int;
    type: string;
    state_key: string | null;
    content: string;
    sticky_ms: Int | null;
    delay_ms: Int;
    scheduled_at: Int;
    send_at: Int;
    device: Int;
    txn_path: string | null;
    txn: string | null;
    finalised_ts: Int | null;
    event_nid: Int | null;
    event_id: string | null;
    error: string | null;
  };
  sticky_event: { room: Int; pos: Int; nid: Int; expires_ts: Int };
  call_leave: { livekit_room: string; identity: string; delay_id: string; user_nid: Int };
  receipt: {
    user_nid: Int;
    room: Int;
    type: string;
    thread: string;
    event_id: string;
    ord: Int | null;
    ts: Int;
    pos: Int;
  };
  account_data: { user_nid: Int; room: Int; type: string; json: string | null; pos: Int };
  thread_event: { room: Int; ord: Int; root: string; counted: Int };
  thread_subscription: { room: Int; root_id: string; user_nid: Int; state: string; pos: Int };
  mention: { user_nid: Int; room: Int; ord: Int; thread: string; notify: Int; highlight: Int };
  report: {
    report: Int;
    user_nid: Int;
    room: Int | null;
    event_id: string | null;
    target_user: string | null;
    reason: string | null;
    score: Int | null;
    ts: Int;
  };

  account: {
    user_nid: Int;
    localpart: string;
    kind: string;
    user_type: string | null;
    password_hash: string | null;
    admin: Int;
    created_ts: Int;
    deactivated_ts: Int | null;
    /** The position at which everything that the user had sent was erased for newcomers; 0: it was not. */
    erased: Int;
    locked: Int;
    suspended: Int;
    shadow_banned: Int;
  };
  device: {
    device_nid: Int;
    user_nid: Int;
    device_id: string;
    display_name: string | null;
    created_ts: Int;
    last_seen_ts: Int | null;
    last_seen_ip: string | null;
    last_seen_user_agent: string | null;
  };
  access_token: {
    token_hash: Buffer;
    device_nid: Int;
    user_nid: Int;
    expires_ts: Int | null;
    refresh_hash: Buffer | null;
    created_ts: Int;
  };
  refresh_token: { token_hash: Buffer; device_nid: Int; user_nid: Int; next_hash: Buffer | null; created_ts: Int };
  login_token: { token_hash: Buffer; user_nid: Int; expires_ts: Int };
  openid_token: { token_hash: Buffer; user_nid: Int; expires_ts: Int };
  registration_token: {
    token: string;
    uses_allowed: Int | null;
    pending: Int;
    completed: Int;
    expiry_ts: Int | null;
  };
  profile_field: { user_nid: Int; name: string; value: string };
  filter: { user_nid: Int; filter_id: Int; json: string };
  push_ruleset: { hash: Buffer; json: string };
  user_push_ruleset: { user_nid: Int; hash: Buffer; pos: Int };
  pusher: {
    pusher: Int;
    user_nid: Int;
    app_id: string;
    pushkey: string;
    kind: string;
    app_display_name: string;
    device_display_name: string;
    profile_tag: string | null;
    lang: string;
    data: string;
    enabled: Int;
    device: Int | null;
    pushkey_ts: Int;
    told_pos: Int;
    behind: Int;
    mailed_ts: Int | null;
    mail_wait_ms: Int | null;
  };
  email_session: {
    sid: string;
    purpose: string;
    address: string;
    secret_hash: Buffer;
    token_hash: Buffer | null;
    send_attempt: Int;
    next_link: string | null;
    expires_ts: Int;
    validated_ts: Int | null;
  };
  account_validity: { user_nid: Int; expires_ts: Int; reminded: Int; token_hash: Buffer | null };
  consent: { user_nid: Int; document: string; version: string; ts: Int };
  notice_room: { user_nid: Int; room_id: string };
  /** rowid: on SQLite, nid: on PostgreSQL. */
  search_entry: { rowid: Int; nid: Int; words: string };
  stream_progress: { follower: string; pos: Int; target: Int | null; room: Int; ord: Int };
  media_reference: { origin: string; media_id: string; nid: Int; room: Int; sender: Int; role: Int };
  user_word: { word: string; user_nid: Int };
  open_room: { room: Int };
  threepid: { medium: string; address: string; user_nid: Int; added_ts: Int; validated_ts: Int };

  device_key: { user_nid: Int; device_nid: Int; json: string };
  fallback_key: { device_nid: Int; algorithm: string; key_id: string; json: string; used: Int };
  cross_signing_key: { user_nid: Int; usage: string; key_id: string; json: string };
  key_signature: { user_nid: Int; target: string; signer_nid: Int; key_id: string; signature: string; pos: Int };
  device_change: { user_nid: Int; pos: Int; stream_id: Int };
  remote_device_list: { user_nid: Int; server_nid: Int; stream_id: Int | null; stale_pos: Int };
  remote_device: { user_nid: Int; device_id: string; json: string };
  to_device: { device_nid: Int; pos: Int; json: string };
  dehydrated_device: { user_nid: Int; device_nid: Int; json: string };
  key_backup: {
    user_nid: Int;
    version: Int;
    algorithm: string;
    auth_data: string;
    etag: Int;
    keys: Int;
    deleted: Int;
  };
  backed_up_key: {
    user_nid: Int;
    version: Int;
    session_id: string;
    room_id: string;
    first_message_index: Int;
    forwarded_count: Int;
    is_verified: Int;
    json: string;
  };
  sliding_connection: { connection: Int; device_nid: Int; conn_id: string; used_ts: Int; tail: string };
  sliding_base: { connection: Int; base: string };
  one_time_key: { device_nid: Int; algorithm: string; serial: Int; key_id: string; json: string };
  media: {
    origin: string;
    media_id: string;
    sha256: Buffer | null;
    bytes: Int | null;
    content_type: string | null;
    file_name: string | null;
    user_nid: Int | null;
    created_ts: Int;
    expires_ts: Int | null;
    last_access_ts: Int | null;
    quarantined_by: string | null;
    protected: Int;
  };
  blob: { sha256: Buffer; bytes: Int; created_ts: Int; settled: Int };
  thumbnail: {
    source: Buffer;
    width: Int;
    height: Int;
    method: string;
    animated: Int;
    content_type: string;
    sha256: Buffer;
    bytes: Int;
    used_ts: Int;
  };
  encrypted_sender: { user_nid: Int };
  upload: {
    upload_id: string;
    origin: string;
    media_id: string;
    user_nid: Int;
    bytes: Int | null;
    content_type: string | null;
    file_name: string | null;
    created_ts: Int;
    expires_ts: Int;
    head: Buffer | null;
    sha256: Buffer | null;
    completed_ts: Int | null;
  };
  scan_verdict: {
    subject: Buffer;
    content: Buffer;
    finding: string | null;
    scanner: string;
    version: string;
    scanned_ts: Int;
    accepted_by: string | null;
  };
  quarantined_content: { sha256: Buffer; quarantined_by: string; created_ts: Int };
  url_preview: { asked: Buffer; fetched_ts: Int; expires_ts: Int; json: string; image_media_id: string | null };
  destination_lag: { server_nid: Int; sent_pos: Int };
  targeted_event: { server_nid: Int; pos: Int; nid: Int };
  outgoing_edu: {
    pos: Int;
    replaces: string | null;
    json: string;
    user_nid: Int | null;
    device_id: string | null;
    stream_id: Int | null;
    prev_id: Int | null;
  };
  outgoing_edu_server: { server_nid: Int; pos: Int };
  destination: {
    server: string;
    failures: Int;
    failing_since_ts: Int | null;
    retry_ts: Int;
    last_error: string | null;
    last_success_ts: Int | null;
  };
  server_key: { server: string; key_id: string; valid_until_ts: Int; fetched_ts: Int; json: string };
  received_transaction: { server_nid: Int; slot: Int; txn: string; ts: Int; answer: string };
  received_to_device: { server_nid: Int; message_id: string; ts: Int };
  waiting_redaction: { room: Int; target_id: string; nid: Int };
  staged_pdu: { room: Int; event_id: string; nid: Int; server_nid: Int; ts: Int; body: Buffer };
}
