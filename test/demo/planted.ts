/** A corpus whose topics are known: six of them in three pairs, ten short documents each. */

const topics: Record<string, string> = {
  bread: 'bread flour oven dough yeast crust bakery butter loaf wheat',
  soup: 'soup broth carrot onion pepper ladle simmer stock parsley bowl',
  sailing: 'sail harbour anchor rudder mast captain tide deck sailor voyage',
  flying: 'pilot wing runway cockpit airport propeller altitude flight hangar glider',
  trade: 'tariff export import customs treaty merchant cargo duty shipment trader',
  banking: 'bank loan interest credit deposit savings mortgage lender account currency',
};
const pairs: Record<string, string> = {
  bread: 'kitchen recipe cook taste',
  soup: 'kitchen recipe cook taste',
  sailing: 'weather journey crew compass',
  flying: 'weather journey crew compass',
  trade: 'market price money economy',
  banking: 'market price money economy',
};

export interface Planted {
  name: string;
  text: string;
  topic: string;
  year: number;
}

/** Sentences with the stop words of English between words of a topic and of its pair. */
export const corpus: Planted[] = Object.entries(topics).flatMap(([topic, words], t) => {
  const [own, shared] = [words.split(' '), pairs[topic].split(' ')];
  return Array.from({ length: 10 }, (_, d) => {
    const word = (i: number) => own[(3 * d + 7 * i) % own.length];
    const pair = (i: number) => shared[(d + i) % shared.length];
    const text = `The ${word(0)} and the ${word(1)} were with a ${word(2)}. It has the ${pair(0)} of the ${word(3)}, and they have ${word(4)} for the ${pair(1)}. There is a ${word(5)} in the ${word(6)}.`;
    return { name: `${topic} ${d + 1}`, text, topic, year: 1990 + 2 * t + (d % 3) };
  });
});

export const wordsOf = (topic: string): string[] => [...topics[topic].split(' '), ...pairs[topic].split(' ')];
