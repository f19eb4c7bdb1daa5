import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type SigningKey, signingKeyFromSeed } from '../matrix/crypto/ed25519.ts';
import { decodeBase64, encodeBase64 } from '../matrix/ids/base64.ts';
import { OperatorError } from './operator-error.ts';
import type { Random } from './ports.ts';

/** The file is there and is not one line "ed25519 <name> <unpadded Base64 seed>". */
export class SigningKeyFileError extends OperatorError {
  override readonly name = 'SigningKeyFileError';
}

/**
 * Reads the key, or makes one when there is no file: readable by its owner only, on disk before it is used. Two processes that do so at once get
 * the same key. The format is Synapse's, so that a key moves from one to the other.
 */
export async function loadSigningKey(path: string, random: Random): Promise<SigningKey> {
  const found = await findText(path);
  if (found !== undefined) return parseSigningKeyFile(found, path);
  await createFile(path, newKeyLine(random), random);
  return parseSigningKeyFile(await readFile(path, 'utf8'), path);
}

/** Puts a new key in the place of the one in the file, whole or not at all. `isTaken`: ids that must not come again. */
export async function replaceSigningKey(
  path: string,
  random: Random,
  isTaken: (keyId: string) => boolean,
): Promise<SigningKey> {
  let text = newKeyLine(random);
  while (isTaken(parseSigningKeyFile(text, path).keyId)) text = newKeyLine(random);
  await writeWhole(path, text, random, rename);
  return parseSigningKeyFile(text, path);
}

function newKeyLine(random: Random): string {
  const name = `a_${Array.from({ length: 4 }, () => letters.charAt(random.int(letters.length))).join('')}`;
  return `ed25519 ${name} ${encodeBase64(random.bytes(seedBytes))}\n`;
}

/** `path` is for the error only; the key never gets into it. */
export function parseSigningKeyFile(text: string, path: string): SigningKey {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [line, second] = lines;
  if (line === undefined) throw new SigningKeyFileError(`${path} is empty; a signing key file has one line`);
  if (second !== undefined)
    throw new SigningKeyFileError(
      `${path} has more than one key; keep the one to sign with, and put others into old_signing_keys`,
    );
  const match = /^ed25519\s+([A-Za-z0-9_]+)\s+(\S+)\s*$/.exec(line);
  const seed = match?.[2] === undefined ? undefined : decodeBase64(match[2]);
  if (match === null || seed?.length !== seedBytes)
    throw new SigningKeyFileError(
      `${path} is not of the form "ed25519 a_abcd <seed of ${seedBytes} bytes in unpadded Base64>"`,
    );
  return signingKeyFromSeed(`ed25519:${match[1]}`, seed);
}

const seedBytes = 32;
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

async function findText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whole or not at all, and never over a file that is there. */
async function createFile(path: string, text: string, random: Random): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, text, random, (draft) =>
    link(draft, path).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error;
    }),
  );
}

/** `place` gives the written file its name. */
async function writeWhole(
  path: string,
  text: string,
  random: Random,
  place: (draft: string, path: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${random.bytes(8).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await place(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
