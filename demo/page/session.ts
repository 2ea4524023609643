/** The page's end of the worker. */
import { proxy, type Remote, wrap } from 'comlink';
import type { Device, EngineKind } from '../work/device.js';
import type { Work } from '../work/worker.js';
import { say, takeBack } from './notices.js';

export { proxy };

const thread = new Worker(new URL('../work/worker.ts', import.meta.url), { type: 'module', name: 'orthant' });
thread.addEventListener('error', ({ message }) => {
  say('worker', `The part of the page that computes has failed: ${message || 'its script could not be loaded'}. Reload the page.`);
});

export const work: Remote<Work> = wrap<Work>(thread);

let device: Promise<Device> | undefined;

/** The device that computes. Its first call opens it. */
export function openDevice(kind: EngineKind = 'webgpu'): Promise<Device> {
  if (device === undefined || kind === 'reference') device = work.openDevice(kind);
  return device;
}

/** Forgets a device that could not be opened, so that the next call tries again. */
export function forgetDevice(): void {
  device = undefined;
  takeBack('device');
}
