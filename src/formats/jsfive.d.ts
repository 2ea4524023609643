/** jsfive has no declarations; src/formats/h5ad.ts says what is used of it. */
declare module 'jsfive' {
  export class File {
    constructor(buffer: ArrayBuffer, name: string);
  }
}
