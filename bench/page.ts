/** The part of the benchmark that runs in the browser; bench/chrome.ts starts it and hears of it through the functions it exposes. */
import { requestDevice } from '../src/webgpu/device/device.js';
import { createWebGpuEngine } from '../src/webgpu/engine.js';
import { type Against, measureAgainst } from './against/measure.js';
import type { Bench } from './measure.js';
import type { CountRow, Row } from './rows.js';
import { measureSuites } from './suites/index.js';
import type { AdapterSuite } from './suites/names.js';

export interface Request {
  repeats: number;
  quick: boolean;
  suites: AdapterSuite[];
  /** Instead of the suites: two builds of orthant. */
  against?: Against;
}

export interface Outcome {
  device: string;
  software: boolean;
  rows: Row[];
  counts: CountRow[];
}

declare global {
  interface Window {
    startBenchmark(request: Request): void;
    benchmarkProgress(line: string): void;
    benchmarkWarn(line: string): void;
    benchmarkDone(outcome: Outcome | { error: string }): void;
  }
}

async function freshDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('This browser has WebGPU, but no adapter.');
  return requestDevice(adapter);
}

async function measure({ repeats, quick, suites, against }: Request): Promise<Outcome> {
  const device = await freshDevice();
  using engine = await createWebGpuEngine({ device });
  const bench: Bench = {
    engine,
    device,
    freshDevice,
    browser: true,
    repeats,
    quick,
    progress: (line) => window.benchmarkProgress(line),
    warn: (line) => window.benchmarkWarn(line),
  };
  const measured = against ? { rows: await measureAgainst(bench, against), counts: [] } : await measureSuites(bench, suites);
  return { device: engine.description, software: engine.software, ...measured };
}

/** Answers through `benchmarkDone`, not by returning: puppeteer gives up on calls that take minutes. */
window.startBenchmark = (request) => {
  measure(request).then(window.benchmarkDone, (error) => {
    window.benchmarkDone({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  });
};
