// Part of the kernels with one invocation per item and restart. Restarts follow each other in one flat index, so that small items of many
// restarts share workgroups; the grid wraps into rows where one dimension does not suffice.
const ITEMS: u32 = 1u; // @size items of one restart
const RESTARTS: u32 = 1u; // @size
const GRID: u32 = 64u; // @size invocations in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup

struct Place {
  item: u32,
  restart: u32,
  inside: bool,
}

fn placeOf(id: vec3u) -> Place {
  let flat = id.y * GRID + id.x;
  return Place(flat % ITEMS, flat / ITEMS, flat < ITEMS * RESTARTS);
}
