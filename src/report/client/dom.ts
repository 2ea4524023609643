/** Elements of the page. What is put into them is text. */

/** An element with a class, texts and elements. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

export const byId = <T extends HTMLElement = HTMLElement>(id: string): T | null => document.getElementById(id) as T | null;

/** Sets custom properties, which the style turns into places and lengths. */
export function setProperties(target: HTMLElement, properties: Record<string, number>): void {
  for (const [name, value] of Object.entries(properties)) target.style.setProperty(`--${name}`, String(value));
}
