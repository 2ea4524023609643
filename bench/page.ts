/** The part of the benchmark that runs in the browser; bench/main.ts starts it and hears of it through the two functions it exposes. */
import { createWebGpuEngine } from '../src/webgpu/engine.js';
import type { Row } from './rows.js';
import { multiplicativeSuite } from './suites/multiplicative.js';
import { neuralSuite } from './suites/neural.js';
import { profileSuite } from './suites/profile.js';

export interface Request {
  repeats: number;
  suites: SuiteName[];
}

export type Outcome = { device: string; software: boolean; rows: Row[] } | { error: string };

const suites = { neural: neuralSuite, mu: multiplicativeSuite, profile: profileSuite };
export type SuiteName = keyof typeof suites;

declare global {
  interface Window {
    startBenchmark(request: Request): void;
    benchmarkProgress(line: string): void;
    benchmarkDone(outcome: Outcome): void;
  }
}

async function measure({ repeats, suites: wanted }: Request): Promise<Outcome> {
  using engine = await createWebGpuEngine();
  const rows: Row[] = [];
  for (const name of wanted) {
    rows.push(...(await suites[name](engine, { repeats, progress: (line) => window.benchmarkProgress(`${name}: ${line}`) })));
  }
  return { device: engine.description, software: engine.software, rows };
}

/** Answers through `benchmarkDone`, not by returning: puppeteer gives up on calls that take minutes. */
window.startBenchmark = (request) => {
  measure(request).then(window.benchmarkDone, (error) => {
    window.benchmarkDone({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  });
};
