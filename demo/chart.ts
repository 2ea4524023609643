import { surfaceOf } from './canvas.js';

export interface Line {
  /** Custom property of its colour. */
  colour: string;
  points: Point[];
  /** The smallest error this line can reach, dashed. */
  bound?: number;
}

export interface Point {
  iteration: number;
  error: number;
}

const margin = { left: 48, right: 60, top: 10, bottom: 40 };
const powersOfTen = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100];
const errorTicks = powersOfTen.flatMap((power) => [power, 2 * power, 5 * power]);
const iterationSteps = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** Errors by iteration on a logarithmic axis; `jointFrom` marks where all layers begin to learn together. */
export function drawChart(canvas: HTMLCanvasElement, lines: Line[], jointFrom?: number): void {
  const { context, width, height, hairline, colour, font } = surfaceOf(canvas);
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const points = lines.flatMap((line) => line.points);
  const errors = [...points.map(({ error }) => error), ...lines.flatMap(({ bound }) => bound ?? [])];
  const last = Math.max(100, ...points.map(({ iteration }) => iteration));
  const low = errorTicks.findLast((tick) => tick < Math.min(0.1, ...errors)) ?? errorTicks[0];
  const high = errorTicks.find((tick) => tick >= Math.max(1, ...errors)) ?? errorTicks.at(-1)!;
  const ticks = high / low > 1000 ? powersOfTen : errorTicks;
  const x = (iteration: number) => margin.left + (iteration / last) * (right - margin.left);
  const y = (error: number) => bottom - (Math.log(Math.max(error, low) / low) / Math.log(high / low)) * (bottom - margin.top);
  const path = (stroke: string, thickness: number, corners: [number, number][]) => {
    context.strokeStyle = stroke;
    context.lineWidth = thickness;
    context.beginPath();
    for (const corner of corners) context.lineTo(...corner);
    context.stroke();
  };

  context.font = font(12);
  context.fillStyle = colour('muted');
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const tick of ticks.filter((error) => error >= low && error <= high)) {
    path(colour('line'), hairline, [
      [margin.left, y(tick)],
      [right, y(tick)],
    ]);
    context.fillText(tick < 1e-3 ? tick.toExponential(0) : String(Number(tick.toPrecision(1))), margin.left - 8, y(tick));
  }
  context.textBaseline = 'alphabetic';
  context.textAlign = 'center';
  const step = iterationSteps.find((candidate) => last / candidate <= 8) ?? iterationSteps.at(-1)!;
  for (let tick = 0; tick <= last; tick += step) context.fillText(String(tick), x(tick), bottom + 17);
  context.fillText('iteration', (margin.left + right) / 2, height - 4);

  if (jointFrom !== undefined) {
    path(colour('muted'), hairline, [
      [x(jointFrom), margin.top],
      [x(jointFrom), bottom],
    ]);
    context.textAlign = 'left';
    context.fillText('all layers together', x(jointFrom) + 6, margin.top + 12);
  }

  lines.forEach((line) => {
    const stroke = colour(line.colour);
    context.fillStyle = stroke;
    if (line.bound !== undefined) {
      context.setLineDash([5, 4]);
      path(stroke, 1.25, [
        [margin.left, y(line.bound)],
        [right, y(line.bound)],
      ]);
      context.setLineDash([]);
      context.textAlign = 'left';
      context.textBaseline = 'middle';
      context.fillText(line.bound.toFixed(4), right + 8, y(line.bound));
    }
    context.lineJoin = 'round';
    path(
      stroke,
      2,
      line.points.map(({ iteration, error }) => [x(iteration), y(error)]),
    );
    const end = line.points.at(-1);
    if (end) {
      context.beginPath();
      context.arc(x(end.iteration), y(end.error), 3, 0, 2 * Math.PI);
      context.fill();
    }
  });
}
