// `npm run scale`: see bench/README.md. mpirun starts it again, once a rank.
import { bundleShaders } from '../../scripts/bundle-shaders.mjs';
import { runMain } from '../../scripts/load-typescript.mjs';

const isRank = process.env.OMPI_COMM_WORLD_SIZE !== undefined || process.argv[2] === 'rank';
if (!isRank) await bundleShaders();
await runMain(isRank ? '/bench/scale/rank.ts' : '/bench/scale/main.ts');
