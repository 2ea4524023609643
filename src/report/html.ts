/** Texts in HTML: nothing that anybody wrote is ever read as markup. */

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A text for the inside of an element or of a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

/** JSON for the inside of a script element of type application/json, where only `<` could end it, and for JavaScript, too. */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Markup, which is not escaped again. */
export interface Markup {
  readonly markup: string;
}

/** A template whose values are escaped, but for markup and lists of markup. */
export function html(strings: TemplateStringsArray, ...values: (string | number | Markup | readonly Markup[])[]): Markup {
  const shown = values.map((value) => {
    if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
    return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
  });
  return { markup: String.raw({ raw: strings }, ...shown) };
}
