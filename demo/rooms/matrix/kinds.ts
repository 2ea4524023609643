/** Kinds of files, by their names. */
export const isPicture = (name: string) => /\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(name);
export const isAudio = (name: string) => /\.(wav|mp3|ogg|oga|opus|flac|m4a|aac|webm)$/i.test(name);
export const isModel = (name: string) => /\.zip$/i.test(name);
export const isTable = (name: string) => /\.(csv|tsv|txt)(\.gz)?$/i.test(name);

export const accepted = [
  '.csv',
  '.tsv',
  '.txt',
  '.npy',
  '.npz',
  '.mtx',
  '.parquet',
  '.json',
  '.arrow',
  '.feather',
  '.h5ad',
  '.gz',
  '.zip',
  'image/*',
  'audio/*',
];
