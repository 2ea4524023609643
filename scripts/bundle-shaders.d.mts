export function bundleShaders(paths?: { folder?: string; output?: string }): Promise<string[]>;
