/**
 * Calls on a device that may be borrowed. The errors of these calls are heard, and errors of other calls are not. Error scopes are a stack
 * of the device, so nothing may wait between their opening and their closing: scopes of others would come between.
 */
import { OrthantError } from '../../errors.js';

export interface Guard {
  /** Makes calls, none of which waits. Their errors are thrown by a later check. */
  around<T>(calls: () => T): T;
  /** Throws the first error that is known by now. */
  check(): void;
  /** Waits for the device's word on all calls so far, not for their work, and throws their first error. */
  settled(): Promise<void>;
}

const filters: readonly GPUErrorFilter[] = ['validation', 'out-of-memory', 'internal'];

export function createGuard(device: GPUDevice): Guard {
  let failure: OrthantError | undefined;
  // Scopes are answered in the order of their closing: the last answer comes after all others.
  let answered: Promise<unknown> = Promise.resolve();
  const note = (error: GPUError | null) => {
    if (error !== null) failure ??= new OrthantError(`The GPU refused a command: ${error.message}`);
  };
  const check = () => {
    if (failure !== undefined) throw failure;
  };
  return {
    around(calls) {
      for (const filter of filters) device.pushErrorScope(filter);
      try {
        return calls();
      } finally {
        // A device that is lost has no answers; of that the engine knows from elsewhere.
        for (let i = 0; i < filters.length; i++) answered = device.popErrorScope().then(note, () => undefined);
      }
    },
    check,
    async settled() {
      await answered;
      check();
    },
  };
}
