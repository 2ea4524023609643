/** Words for a browser without WebGPU: what to do on this very browser and system. */
export function withoutWebGpu(reason: string): string {
  const agent = navigator.userAgent;
  const system = /Android/.test(agent)
    ? 'Android'
    : /iPhone|iPad/.test(agent)
      ? 'iOS'
      : /Mac OS/.test(agent)
        ? 'macOS'
        : /Windows/.test(agent)
          ? 'Windows'
          : 'Linux';
  if (!isSecureContext) return `WebGPU needs a secure address: open this page over https or on localhost. ${fallback}`;
  if (navigator.gpu) return `${reason} ${driver(system)} ${fallback}`;
  return `This browser offers no WebGPU. ${advice(agent, system)} ${fallback}`;
}

const fallback = 'Small data can be computed on the CPU meanwhile.';

function advice(agent: string, system: string): string {
  if (/Firefox/.test(agent)) {
    if (system === 'Windows') return 'Firefox has it from version 141 on: update it in Help, About Firefox.';
    if (system === 'macOS')
      return 'Firefox has it from version 145 on, on macOS 26 from there and on older macOS from 147 on Apple silicon: update it, or use Chrome.';
    return 'In Firefox on Linux set dom.webgpu.enabled and dom.webgpu.workers.enabled in about:config, or use Chrome.';
  }
  if (/Chrome|Chromium|Edg/.test(agent)) {
    if (system === 'Android') return 'Chrome has it from version 121 on, on Android 12 and later: update it.';
    if (system === 'Linux')
      return 'Chrome on Linux has it from version 144 on with Intel and 147 with NVIDIA; otherwise switch on chrome://flags/#enable-unsafe-webgpu.';
    return 'Update the browser: Chrome and Edge have it from version 113 on. If it is recent, switch graphics acceleration on in Settings, System.';
  }
  if (/Safari/.test(agent)) return 'Safari has it from version 26 on: update the system.';
  return 'Use a recent Chrome, Edge, Safari or Firefox.';
}

function driver(system: string): string {
  if (system === 'Linux') return 'Check chrome://gpu, and that the Vulkan driver of the card is installed.';
  return 'Check that graphics acceleration is on in the settings of the browser, and that the driver of the card is recent.';
}
