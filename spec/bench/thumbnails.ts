/** Thumbnails over HTTP: photographs, each asked for once. */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { MediaClient } from '../support/media-requests.ts';
import type { Measurement, Scenario } from './measurement.ts';
import { Reference, normalised } from './reference.ts';
import { Served } from './served.ts';
import { processCpu, residentMemory } from './thread-cpu.ts';

export const thumbnails: Scenario = async (bench) => {
  const { thumbnailPhotos, photoWidth } = bench.sizes;
  const served = await Served.start(bench);
  try {
    const user = await MediaClient.register(served.process, 'photographer');
    const photo = await photograph(photoWidth);
    bench.say(`thumbnails: ${thumbnailPhotos} photographs of ${megapixels(photoWidth)} megapixels are uploaded`);
    const uris: string[] = [];
    for (let serial = 0; serial <= thumbnailPhotos; serial++)
      uris.push(await user.upload(Buffer.concat([photo, Buffer.from(String(serial))]), 'image/jpeg'));
    const [first = '', ...others] = uris;
    await open(user, first);
    bench.say(`thumbnails: one of each, 800 × 600`);
    const children = childrenOf(served.process.pid);
    const cpuUs = (): readonly [server: number, image: number] => [
      processCpu(served.process.pid).all,
      children.reduce((sum, pid) => sum + processCpu(pid).all, 0),
    ];
    const reference = Reference.before();
    const before = cpuUs();
    for (const uri of others) {
      await open(user, uri);
      reference.sample(2);
    }
    const after = cpuUs();
    const signUs = reference.stop();
    const [serverMs, imageMs] = [0, 1].map((at) => ((after[at] ?? 0) - (before[at] ?? 0)) / 1_000 / others.length);
    const allMs = (serverMs ?? 0) + (imageMs ?? 0);
    const of = (what: string, unit: string, value: number, normal?: number): Measurement => ({
      scenario: 'thumbnails',
      what: `${megapixels(photoWidth)} megapixels to 800 × 600: ${what}`,
      unit,
      value,
      normalised: normal,
    });
    return [
      of('CPU of each', 'ms', allMs, normalised(allMs, signUs)),
      of('of it the server itself', 'ms', serverMs ?? 0, normalised(serverMs ?? 0, signUs)),
      of('thumbnails per second and core', '1/s', 1_000 / allMs, 1_000 / normalised(allMs, signUs)),
      of('memory of the process that makes them', 'MiB', Math.max(...children.map((pid) => residentMemory(pid).all))),
    ];
  } finally {
    await served.close();
  }
};

async function open(user: MediaClient, uri: string): Promise<void> {
  const path = `/_matrix/client/v1/media/thumbnail/${uri.slice('mxc://'.length)}?width=800&height=600&method=scale`;
  const { status, bytes } = await user.request('GET', path);
  if (status !== 200) throw new Error(`the thumbnail was answered with ${status}: ${bytes.toString()}`);
}

/** Of what is hard to compress, as photographs are. */
const photograph = (width: number): Promise<Buffer> =>
  sharp({
    create: {
      width,
      height: heightOf(width),
      channels: 3,
      background: '#000',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  })
    .blur(1.5)
    .jpeg({ quality: 85 })
    .toBuffer();

const heightOf = (width: number): number => Math.round((width * 3) / 4);
const megapixels = (width: number): number => Math.round((width * heightOf(width)) / 10_000) / 100;

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
