/** How many processes compute here, and on which adapters. */
import { AdapterError } from '../errors.js';
import { listAdapters } from '../node/dawn.js';
import type { ChildSettings } from './messages.js';

/**
 * One process for each GPU that Dawn tells apart, and one where it finds none or 'software' or 'cpu' was asked for. WebGPU cannot enumerate:
 * Dawn gives one GPU for 'high-performance' and one for 'low-power', and of two that are alike only the first.
 *
 * @param workers so many processes instead; they take turns at the GPUs.
 */
export async function childrenHere(device: ChildSettings['device'], workers?: number): Promise<ChildSettings[]> {
  const adapters: ChildSettings[] = (await hasTwoGpus(device, workers))
    ? [
        { device: 'gpu', powerPreference: 'high-performance' },
        { device: 'gpu', powerPreference: 'low-power' },
      ]
    : [{ device }];
  return Array.from({ length: workers ?? adapters.length }, (_, at) => adapters[at % adapters.length]);
}

async function hasTwoGpus(device: ChildSettings['device'], workers?: number): Promise<boolean> {
  if (device === 'cpu' || device === 'software' || workers === 1) return false;
  try {
    return (await listAdapters()).filter(({ software, source }) => !software && source === 'system').length > 1;
  } catch (error) {
    if (error instanceof AdapterError) return false; // the first fit says what is missing
    throw error;
  }
}
