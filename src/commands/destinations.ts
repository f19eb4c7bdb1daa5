/**
 * npm run destinations -- [--all] [--reset NAME] [--config FILE]: of a running server, the other servers that were not sent
 * everything or do not answer, and why; or has one of them tried at once.
 */
import { orderMac } from '../accounts/shared-secret.ts';
import { isServerName } from '../matrix/ids/server-name.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { type Config, loadConfig } from '../platform/config/config.ts';
import { loadLocalServers } from '../platform/load-local-servers.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import { OperatorError } from '../platform/operator-error.ts';
import type { Ports } from '../platform/ports.ts';
import { readArguments, UsageError } from './arguments.ts';
import { runCommand } from './run-command.ts';
import { askRunningServer, withPortsOfCommand } from './running-server.ts';

const usage = 'npm run destinations -- [--all] [--reset NAME] [--config FILE]';

if (import.meta.main)
  await runCommand(async (args) => {
    const { options } = readArguments(args, {
      usage,
      options: { all: { type: 'boolean' }, reset: { type: 'string' }, config: { type: 'string' } },
    });
    await withPortsOfCommand(async (ports) => {
      const config = loadConfig(options.config);
      const localServers = await loadLocalServers(config, ports.random);
      const server = { config, localServers, ports };
      if (options.reset === undefined) await list(server, options.all);
      else await reset(server, options.reset);
    });
  });

interface RunningServer {
  readonly config: Config;
  readonly localServers: LocalServers;
  readonly ports: Ports;
}

async function reset(server: RunningServer, destination: string): Promise<void> {
  if (!isServerName(destination)) throw new UsageError(`"${destination}" is not a server name\nUsage: ${usage}`);
  await ask(server, '/reset_destination', [destination], { destination });
  console.log(`${destination} is tried now.`);
}

async function list(server: RunningServer, all: boolean): Promise<void> {
  let [shown, total] = [0, 0];
  for (let from: number | undefined = 0; from !== undefined;) {
    const answer: JsonObject = await ask(server, '/destinations', [String(from), String(all)], { from, all });
    const { destinations, next } = answer;
    total = Number(answer['total']);
    for (const details of Array.isArray(destinations) ? destinations.filter(isJsonObject) : []) {
      shown += 1;
      console.log(sentences(details, server.ports.clock.nowMs()));
    }
    from = typeof next === 'number' ? next : undefined;
  }
  const rest = total - shown;
  if (shown === 0) console.log(`All ${total} other servers have been sent everything.`);
  else if (rest > 0) console.log(`${rest} more of ${total} servers have been sent everything.`);
}

/** Of one server, a few lines. */
function sentences(details: JsonObject, nowTs: number): string {
  const ago = (ts: unknown): string => (typeof ts === 'number' ? `${duration(nowTs - ts)} ago` : 'never');
  const { events_behind: events, events_behind_max: max, edus_waiting: edus, failures } = details;
  const isMore = Number(events) >= Number(max);
  const text = (value: unknown): string => (typeof value === 'string' ? value : '?');
  const lines = [`${text(details['destination'])}: ${text(details['why'])}`];
  if (Number(events) > 0)
    lines.push(
      `${isMore ? 'at least ' : ''}${Number(events)} events behind, the oldest of ${duration(Number(details['ms_behind']))} ago`,
    );
  if (Number(edus) > 0) lines.push(`${Number(edus)} other messages wait`);
  if (Number(failures) > 0)
    lines.push(`failed ${Number(failures)} times in a row since ${ago(details['failing_since_ts'])}`);
  lines.push(`last success: ${ago(details['last_success_ts'])}`);
  return lines.join('\n  ');
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

async function ask(
  { config, localServers, ports }: RunningServer,
  path: `/${string}`,
  subjects: readonly string[],
  body: JsonObject,
): Promise<JsonObject> {
  const answer = await askRunningServer(config, localServers, ports, (nonce, secret) => {
    const mac = orderMac(secret, { nonce, order: path, subjects });
    return { path, body: { nonce, mac, ...body } };
  });
  if (answer === undefined)
    throw new OperatorError(
      'No server of this configuration answers: how far behind others are is known only while it runs. A listener must serve admin.',
    );
  return answer;
}
