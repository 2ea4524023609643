/** Drivers and the loader of Vulkan, as native code of this process finds them. */
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runInThisContext } from 'node:vm';
import { messageOf } from '../data/realm.js';
import { AdapterError } from '../errors.js';
import { canRunPackaged, softwareAdapter } from './software-adapter.js';

/** Not that of jest, whose environment is a copy that native code never sees. */
export const process: NodeJS.Process = runInThisContext('process');

/** The user's own choice of drivers, as `NAME=value`. */
export function driversChosen(): string | undefined {
  const name = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].find((name) => process.env[name]);
  return name && `${name}=${process.env[name]}`;
}

/**
 * Runs `act` while the Vulkan loader sees the given driver and no other.
 * The loader reads its environment anew for every Vulkan instance, and Dawn makes one inside `requestAdapter`, before that returns its
 * promise. So nothing stays behind in the environment. Loaders before 1.3.207 know only the second name.
 */
export function withDrivers<T>(manifest: string, act: () => T): T {
  const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];
  for (const name of names) process.env[name] = manifest;
  try {
    return act();
  } finally {
    for (const name of names) delete process.env[name];
  }
}

/**
 * Makes sure that Dawn's `dlopen("libvulkan.so.1")` succeeds, with the packaged loader where the system has none.
 * Setting LD_LIBRARY_PATH would come too late in a running process, but a library that is already in memory is found by its name.
 * The packaged loader looks for drivers where any other does, so a GPU whose container lacks only the loader works, too.
 */
export async function ensureVulkanLoader(): Promise<void> {
  if (preload('libvulkan.so.1') === undefined || !canRunPackaged) return;
  const { loader } = await softwareAdapter();
  const failure = preload(loader);
  if (failure) throw new AdapterError(`the Vulkan loader cannot be loaded (${failure})`);
}

/** Loads a native library for good. Returns the error, if there was one. */
function preload(library: string): string | undefined {
  const RTLD_NODELETE = 0x1000; // not in os.constants; without it Node unloads the library again when it turns out to be no addon
  try {
    process.dlopen({ exports: {} }, library, os.constants.dlopen.RTLD_NOW | os.constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE);
  } catch (error) {
    const message = messageOf(error);
    // Loaded, and then found to be no addon, as intended here; these are the words of Node, Bun and Deno.
    if (!/did not self-register|napi_register_module_v1|Unable to find register/.test(message)) return message;
  }
  return undefined;
}

/** Whether a driver manifest lies in one of the folders that Vulkan loaders on Linux search. */
export function systemHasVulkanDriver(): boolean {
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS = '/etc/xdg', XDG_DATA_HOME, XDG_DATA_DIRS = '/usr/local/share:/usr/share', HOME } = process.env;
  const home = HOME ? [path.join(HOME, '.config'), path.join(HOME, '.local/share')] : [];
  const fixed = ['/etc', '/usr/local/etc', '/usr/share', '/usr/local/share', '/run/opengl-driver/share'];
  const roots = [XDG_CONFIG_HOME, ...XDG_CONFIG_DIRS.split(':'), XDG_DATA_HOME, ...XDG_DATA_DIRS.split(':'), ...home, ...fixed];
  if (process.env.VK_ADD_DRIVER_FILES) return true;
  return roots.some((root) => {
    try {
      return !!root && readdirSync(path.join(root, 'vulkan/icd.d')).some((file) => file.endsWith('.json'));
    } catch {
      return false;
    }
  });
}
