/** The part of the benchmark that runs in Node, on Dawn: it needs neither Chrome nor puppeteer. */
import { requestDawnAdapter } from '../src/node/dawn.js';
import { requestDevice } from '../src/webgpu/device/device.js';
import { createWebGpuEngine } from '../src/webgpu/engine.js';
import { measureAgainst } from './against/measure.js';
import type { Bench } from './measure.js';
import type { Outcome, Request } from './page.js';
import { measureSuites } from './suites/index.js';

export interface Voices {
  progress(line: string): void;
  warn(line: string): void;
}

export async function measureInNode({ repeats, quick, suites, against }: Request, voices: Voices): Promise<Outcome> {
  const releases: (() => void)[] = [];
  const freshDevice = async () => {
    const dawn = await requestDawnAdapter();
    releases.push(dawn.release);
    return requestDevice(dawn.adapter);
  };
  const device = await freshDevice();
  try {
    using engine = await createWebGpuEngine({ device });
    const bench: Bench = { engine, device, freshDevice, browser: false, repeats, quick, ...voices };
    const measured = against ? { rows: await measureAgainst(bench, against), counts: [] } : await measureSuites(bench, suites);
    return { device: engine.description, software: engine.software, ...measured };
  } finally {
    device.destroy();
    for (const release of releases) release();
  }
}
