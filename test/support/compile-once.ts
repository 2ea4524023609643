/**
 * Lets a device compile each text once, whatever engine asks. The stacks of differential cases have dozens of engines on one device, each
 * with pipelines of its own, and most of their time is a compiler's; a pipeline depends on nothing but the text and the device.
 */
export function compileOnce(device: GPUDevice): void {
  const texts = new WeakMap<GPUShaderModule, string>();
  const compiled = new Map<string, Promise<GPUComputePipeline>>();
  const createShaderModule = device.createShaderModule.bind(device);
  const createComputePipelineAsync = device.createComputePipelineAsync.bind(device);
  device.createShaderModule = (descriptor) => {
    const module = createShaderModule(descriptor);
    texts.set(module, descriptor.code);
    return module;
  };
  device.createComputePipelineAsync = (descriptor) => {
    const { layout, compute } = descriptor;
    const text = texts.get(compute.module);
    if (text === undefined || layout !== 'auto' || compute.constants) return createComputePipelineAsync(descriptor);
    const key = `${compute.entryPoint}\n${text}`;
    let pipeline = compiled.get(key);
    if (pipeline === undefined) {
      pipeline = createComputePipelineAsync(descriptor);
      compiled.set(key, pipeline);
      pipeline.catch(() => compiled.delete(key)); // whoever asked is told
    }
    return pipeline;
  };
}
