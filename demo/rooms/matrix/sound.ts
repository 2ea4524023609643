/** A sound file as one channel of samples. Only the page can decode it: workers have no AudioContext. */

/** Samples a second: frequencies up to 11 kHz, which hold speech and most of music. */
const rate = 22050;

export async function decodeSound(file: File): Promise<{ name: string; entries: Float32Array; rate: number }> {
  const bytes = await file.arrayBuffer();
  let decoded: AudioBuffer;
  try {
    decoded = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  } catch (error) {
    throw new Error(`${file.name} is a damaged sound, or of a kind that this browser cannot read; save it as .wav.`, { cause: error });
  }
  const entries = new Float32Array(decoded.length);
  for (let channel = 0; channel < decoded.numberOfChannels; channel++) {
    const own = decoded.getChannelData(channel);
    for (let i = 0; i < own.length; i++) entries[i] += own[i] / decoded.numberOfChannels;
  }
  return { name: file.name, entries, rate };
}
