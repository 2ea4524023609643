import * as ort from 'onnxruntime-web/webgpu';
import type { Matrix } from '../../src/data/matrix.js';
import { type Contender, epsilon, type Problem, smallerFactor } from './contender.js';
import { multiplicativeModel } from './onnx-model.js';

/** The step as one graph, whose inputs and outputs stay on the device from iteration to iteration. */
export async function onOnnxRuntime(problem: Problem): Promise<Contender> {
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  const [N, M, k] = [problem.X.rows, problem.X.cols, problem.A.cols];
  const session = await ort.InferenceSession.create(multiplicativeModel(N, M, k, epsilon), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  });
  const device = (await ort.env.webgpu.device) as GPUDevice;
  const onDevice = ({ data, rows, cols }: Matrix) => upload(device, Float32Array.from(data), [rows, cols]);
  const X = onDevice(problem.X);
  const starts = { A: onDevice(problem.A), S: onDevice(problem.S) };
  let [A, S]: ort.Tensor[] = [starts.A.tensor, starts.S.tensor];
  const replace = (newA: ort.Tensor, newS: ort.Tensor) => {
    if (A !== starts.A.tensor) A.dispose();
    if (S !== starts.S.tensor) S.dispose();
    [A, S] = [newA, newS];
  };
  const smaller = smallerFactor(problem);
  // getData on a tensor that the session made moves it to the host for good; so the read goes through a copy of the buffer.
  const read = (tensor: ort.Tensor) => download(device, tensor);
  return {
    async reset() {
      replace(starts.A.tensor, starts.S.tensor);
      await read(smaller === 'A' ? A : S);
    },
    async run(times) {
      for (let i = 0; i < times; i++) {
        const { nextA, nextS } = await session.run({ X: X.tensor, A, S });
        replace(nextA, nextS);
      }
      await read(smaller === 'A' ? A : S);
    },
    async factors() {
      return { A: await read(A), S: await read(S) };
    },
    dispose() {
      replace(starts.A.tensor, starts.S.tensor);
      for (const { buffer } of [X, starts.A, starts.S]) buffer.destroy();
      void session.release();
    },
  };
}

function upload(device: GPUDevice, entries: Float32Array<ArrayBuffer>, dims: readonly number[]) {
  const buffer = device.createBuffer({
    size: Math.ceil(entries.byteLength / 16) * 16,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  device.queue.writeBuffer(buffer, 0, entries);
  return { buffer, tensor: ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims }) };
}

async function download(device: GPUDevice, tensor: ort.Tensor): Promise<Float32Array> {
  const bytes = 4 * tensor.size;
  const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(tensor.gpuBuffer as GPUBuffer, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const entries = new Float32Array(staging.getMappedRange()).slice();
  staging.destroy();
  return entries;
}
