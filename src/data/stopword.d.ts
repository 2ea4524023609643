/** The one list used of the `stopword` package, which ships no types. */
declare module 'stopword' {
  export const eng: string[];
}
