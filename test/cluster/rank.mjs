/** What one rank does in the tests of this folder: `mpirun -np P node rank.mjs '{"task": …}'`. Each rank writes a file of JSON into the folder `out`. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { random } from '../../dist/data/random.js';
import { sparseFromDense } from '../../dist/data/sparse.js';
import { connectMpi } from '../../dist/node/mpi.js';
import { createEngine, neuralNmf, nmf, scanColumns } from '../../dist/node.js';

const { task, ...given } = JSON.parse(process.argv[2]);
const mpi = process.env.OMPI_COMM_WORLD_SIZE === undefined ? undefined : await connectMpi();
const rankOfThis = mpi?.rank ?? 0;
// A file each: mpirun mixes long lines.
const say = (found) => writeFileSync(`${given.out}/${rankOfThis}.json`, JSON.stringify({ rank: rankOfThis, ...found }));
const hashOf = (arrays) => arrays.reduce((hash, { data }) => hash.update(data), createHash('sha256')).digest('hex');

/** Columns that follow from their number: A s + noise, A of `rank` columns that are the same for all. */
function generated({ N, M, sparse, rank = 20, seed = 5 }) {
  const ofA = random(seed, { restart: 0xffffffff });
  const A = Float64Array.from({ length: N * rank }, () => (ofA.uniform() < 0.6 ? 0 : ofA.uniform()));
  const read = async (from, to) => {
    const data = new Float32Array(N * (to - from));
    for (let j = from; j < to; j++) {
      const { uniform } = random(seed, { restart: j });
      const s = Float64Array.from({ length: rank }, () => (uniform() < 0.6 ? 0 : uniform()));
      for (let i = 0; i < N; i++) {
        let x = 0.2 * uniform();
        for (let t = 0; t < rank; t++) x += A[i * rank + t] * s[t];
        data[i * (to - from) + j - from] = sparse && x < 1 ? 0 : x;
      }
    }
    const X = { rows: N, cols: to - from, data };
    return sparse ? sparseFromDense(X) : X;
  };
  return { rows: N, cols: M, sparse, read };
}

const tasks = {
  async fit() {
    const { method, data, options, panelColumns } = given;
    const engine = await createEngine({ prefer: given.prefer ?? 'auto' });
    const X = await scanColumns(generated(data), { panelColumns, ...(mpi && { communicator: mpi }) });
    const before = mpi?.reducedBytes ?? 0;
    const errors = [];
    const onProgress = ({ stage, relativeError }) => void errors.push(`${stage} ${relativeError}`);
    const started = performance.now();
    const model = await { nmf, neural: neuralNmf }[method](engine, X, { ...options, checkEvery: 1, onProgress });
    engine.dispose();
    const ms = performance.now() - started;
    return {
      errors,
      hash: hashOf([...model.A, ...model.S]),
      reducedBytes: (mpi?.reducedBytes ?? 0) - before,
      iterations: model.iterations,
      ms,
    };
  },
};

try {
  say(await tasks[task]());
  mpi?.finalize();
} catch (error) {
  console.error(error);
  mpi?.abort(1);
  process.exitCode = 1;
}
