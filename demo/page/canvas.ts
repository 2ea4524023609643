/** A canvas ready to be drawn on in CSS pixels, with the page's own colours and typeface. */
export interface Surface {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  /** One device pixel. */
  hairline: number;
  /** A colour of style.css, by the name of its custom property without the dashes. */
  colour(name: string): string;
  font(size: number): string;
}

/** Gives the canvas as many pixels as it has on the screen, and clears it. */
export function surfaceOf(canvas: HTMLCanvasElement): Surface {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const context = canvas.getContext('2d')!;
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  return {
    context,
    width,
    height,
    hairline: 1 / ratio,
    colour: (name) => style.getPropertyValue(`--${name}`),
    font: (size) => `${size}px ${style.fontFamily}`,
  };
}
