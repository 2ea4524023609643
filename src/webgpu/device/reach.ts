/** Advice where there is no WebGPU or no adapter, from the visible parts of the environment. */
export interface Surroundings {
  /** `navigator.userAgent`, where there is one. */
  userAgent?: string;
  /** `isSecureContext`; browsers offer WebGPU in such contexts alone. */
  secure?: boolean;
  /** In a worker rather than on a page. */
  worker?: boolean;
  /** In Node, not in a browser. */
  node?: boolean;
}

/** One sentence or two for an environment without `navigator.gpu`. */
export function withoutWebGpu({ userAgent = '', secure, worker, node }: Surroundings): string {
  const missing = 'This environment has no WebGPU (navigator.gpu is missing).';
  if (node) return `${missing} In Node import createEngine from 'orthant/node'.`;
  if (secure === false) return `${missing} Browsers offer it to secure pages only: serve the page over https, or from localhost.`;
  if (/Firefox\//.test(userAgent)) {
    const preferences = worker ? 'dom.webgpu.enabled and dom.webgpu.workers.enabled' : 'dom.webgpu.enabled';
    if (/Linux|X11/.test(userAgent)) return `${missing} In Firefox on Linux set ${preferences} to true in about:config, and restart it.`;
    return `${missing} Use Firefox from 141 on Windows or 147 on macOS, or set ${preferences} to true in about:config.`;
  }
  if (isSafari(userAgent)) return `${missing} Use Safari from 26.`;
  if (isChromium(userAgent))
    return `${missing} Update Chrome or Edge: it is there from 113, on Android from 121, on Linux from 144 (NVIDIA from 147).`;
  return `${missing} Use a recent Chrome, Edge, Safari or Firefox over https or localhost.`;
}

/** The same for an environment with `navigator.gpu` that gives no adapter. */
export function withoutAdapter({ userAgent = '' }: Surroundings): string {
  const none = 'WebGPU is there, but it offers no adapter.';
  if (/Firefox\//.test(userAgent))
    return `${none} Check in about:support (Graphics) that hardware acceleration is on and the GPU's driver is not blocked.`;
  if (isSafari(userAgent)) return `${none} Restart Safari; check that the system is up to date.`;
  if (isChromium(userAgent))
    return `${none} Chrome blocks WebGPU for a while after repeated crashes of the GPU: wait, or restart it. Else check that hardware acceleration is on (chrome://gpu), or start it with --enable-unsafe-webgpu.`;
  return `${none} Check that hardware acceleration is on and the GPU's driver is installed.`;
}

const isChromium = (userAgent: string) => /Chrom(e|ium)\//.test(userAgent);
const isSafari = (userAgent: string) => /Safari\//.test(userAgent) && !isChromium(userAgent);

export function surroundings(): Surroundings {
  const { navigator, isSecureContext, WorkerGlobalScope, process } = globalThis as typeof globalThis & {
    WorkerGlobalScope?: unknown;
    process?: { versions?: { node?: string; deno?: string; bun?: string } };
  };
  const { node, deno, bun } = process?.versions ?? {};
  return {
    userAgent: navigator?.userAgent,
    secure: isSecureContext,
    worker: WorkerGlobalScope !== undefined,
    node: node !== undefined && deno === undefined && bun === undefined && typeof document === 'undefined',
  };
}
