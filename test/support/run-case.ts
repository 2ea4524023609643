import type { Engine } from '../../src/engine.js';
import { requestDevice } from '../../src/webgpu/device/device.js';
import { createWebGpuEngine, type EngineOptions } from '../../src/webgpu/engine.js';
import { createGuards } from '../cases/guard.js';
import { suites } from '../cases/index.js';
import { compileOnce } from './compile-once.js';

/** Runs cases on one device. */
export interface CaseRunner {
  /** Throws when the case fails, or when the device reported an error meanwhile that nothing caught. */
  run(suite: string, name: string): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes the device and the engine on which the cases run: the same in Node and in the browser. */
export async function caseRunner(adapter: GPUAdapter): Promise<CaseRunner> {
  const device = await requestDevice(adapter);
  compileOnce(device);
  const errors: string[] = [];
  device.addEventListener('uncapturederror', (event) => errors.push(event.error.message));
  device.lost.then(({ reason, message }) => reason !== 'destroyed' && errors.push(`the device was lost: ${message}`));
  const engines = new Map<string, Promise<Engine>>();
  const engineWith = (options: EngineOptions) => {
    const key = JSON.stringify(options);
    const engine = engines.get(key) ?? createWebGpuEngine({ ...options, device });
    engines.set(key, engine);
    return engine;
  };
  const engine = await engineWith({});
  const guards = createGuards(device);
  return {
    async run(suite, name) {
      const found = suites[suite]?.find((one) => one.name === name);
      if (!found) throw new Error(`There is no case '${name}' in suite '${suite}'.`);
      errors.length = 0;
      await found.run({ device, engine, engineWith, guarded: guards.engine });
      // Errors arrive as events, behind the work that they belong to.
      await device.queue.onSubmittedWorkDone();
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (errors.length > 0) throw new Error(`Uncaptured GPU errors: ${errors.join('\n')}`);
    },
    async dispose() {
      for (const engine of await Promise.all(engines.values())) engine.dispose();
      device.destroy();
    },
  };
}
