/**
 * What changes of our users' keys is told to the servers that share a room with them: written with the change itself, in statements
 * that find these servers, so that nothing comes in between. https://spec.matrix.org/v1.19/server-server-api/#device-management
 */
import type { LocalServers } from '../../platform/local-servers.ts';
import { limits } from '../../platform/limits.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import {
  dropReplaced,
  dropWaitingEdus,
  insertDeviceListEdu,
  insertEduServersSharing,
  insertIntroducingEdu,
  insertSigningKeyEdu,
  setDeviceStream,
} from '../../storage/stores/device-list-edu-store.ts';
import { insertEduServers } from '../../storage/stores/outgoing-store.ts';

declare module '../../storage/database.ts' {
  interface WakeKinds {
    /** An EDU waits at this position, for servers that only the database knows. */
    'outgoing-key-edu': { readonly eduPos: number };
  }
}

export interface OutgoingDeviceLists {
  /**
   * Part of a unit that changed what others see of these devices, after the user's device_change. Of what still waits for a server, only
   * the newest is sent: the server sees the gap before it and asks for the whole list.
   */
  devicesChanged(unit: UnitBuilder, userNid: number, deviceIds: readonly string[]): void;
  /** The same for cross-signing keys. */
  signingKeysChanged(unit: UnitBuilder, userNid: number): void;
  /** For servers that share a room with the user newly: they are made to ask for the list. `deviceId`: any of it. */
  introduce(unit: UnitBuilder, userNid: number, deviceId: string, serverNids: readonly number[]): void;
}

/** Without federation nothing is kept for servers that will not get it; they see the gap when it is back. */
export function outgoingDeviceLists(
  isEnabled: boolean,
  localServers: Pick<LocalServers, 'names'>,
): OutgoingDeviceLists {
  const locals = localServers.names();
  return {
    devicesChanged(unit, user, deviceIds) {
      if (deviceIds.length === 0) return;
      const replaces = `device-list/${user}`;
      if (isEnabled) dropWaiting(unit, replaces);
      if (deviceIds.length > limits.deviceListEdusMax) setStream(unit, user, unit.nextPos());
      for (const deviceId of deviceIds.length > limits.deviceListEdusMax ? deviceIds.slice(-1) : deviceIds) {
        const pos = unit.nextPos();
        if (isEnabled) {
          unit.run(insertEduServersSharing, { pos, user, locals });
          unit.run(insertDeviceListEdu, { pos, user, deviceId, replaces });
          unit.wake({ kind: 'outgoing-key-edu', eduPos: pos });
        }
        setStream(unit, user, pos);
      }
    },
    signingKeysChanged(unit, user) {
      if (!isEnabled) return;
      const replaces = `signing-keys/${user}`;
      dropWaiting(unit, replaces);
      const pos = unit.nextPos();
      unit.run(insertEduServersSharing, { pos, user, locals });
      unit.run(insertSigningKeyEdu, { pos, user, replaces });
      unit.wake({ kind: 'outgoing-key-edu', eduPos: pos });
    },
    introduce(unit, user, deviceId, servers) {
      if (!isEnabled || servers.length === 0) return;
      const pos = unit.nextPos();
      unit.run(insertIntroducingEdu, { pos, user, deviceId, replaces: `device-list/${user}` });
      unit.run(insertEduServers, { pos, servers });
      unit.wake({ kind: 'outgoing-edu', serverNids: servers });
    },
  };
}

function dropWaiting(unit: UnitBuilder, replaces: string): void {
  unit.run(dropWaitingEdus, { replaces });
  unit.run(dropReplaced, { replaces });
}

const setStream = (unit: UnitBuilder, user: number, streamId: number): void =>
  unit.run(setDeviceStream, { user, streamId });
