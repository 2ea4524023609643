import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stopWordsModule } from '../../scripts/stop-words.mjs';
import { detectLanguage, languageName, stemmerOf, stopWordsOf } from '../../src/text/languages.js';
import { englishStopWords, termDocumentMatrix } from '../../src/text/term-document.js';

const docs = (...texts: string[]) => texts.map((text, i) => ({ name: `d${i}`, text }));

const samples: Record<string, string[]> = {
  en: ['It was the best of times, it was the worst of times.', 'We hold these truths to be self-evident, that all men are created equal.'],
  de: ['Der Hund läuft über die Straße und sieht die Katze nicht.', 'Ich habe gestern mit meiner Mutter über das Wetter gesprochen.'],
  fr: ["L'homme est né libre, et partout il est dans les fers.", 'Le renard brun saute par-dessus le chien paresseux de la voisine.'],
  es: ['En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía un hidalgo.'],
  pt: ['O rato roeu a roupa do rei de Roma e depois não quis mais sair da casa, porque estava com medo do gato.'],
  it: ['Nel mezzo del cammin di nostra vita mi ritrovai per una selva oscura, che la diritta via era smarrita.'],
  nl: ['De kat zit op de mat en kijkt naar buiten, want het regent al de hele dag en zij wil niet nat worden.'],
  ru: ['Я вас любил: любовь ещё, быть может, в душе моей угасла не совсем.', 'Он сказал, что это было очень давно и никто уже не помнит.'],
  zh: ['机器学习模型需要大量的训练数据。', '股票市场的价格上涨了。'],
  ja: ['東京大学で人工知能の研究をしています。', '昨日は雨が降りましたが、今日は晴れています。'],
  ko: ['나는 어제 친구와 함께 영화를 보러 갔습니다.', '오늘은 날씨가 아주 좋습니다.'],
  th: ['ฉันชอบกินข้าวผัดกับเพื่อนที่ร้านอาหารใกล้บ้าน'],
  el: ['Η γλώσσα των Ελλήνων είναι μία από τις παλαιότερες γλώσσες του κόσμου και μιλιέται μέχρι σήμερα.'],
};

test.each(Object.entries(samples))('%s is detected', async (language, texts) => {
  expect(await detectLanguage(docs(...texts))).toEqual({ language, sure: true });
});

test('most of the documents decide, and texts that say little are taken for English', async () => {
  expect(await detectLanguage(docs(...samples.de, ...samples.de, ...samples.en))).toEqual({ language: 'de', sure: true });
  for (const texts of [[], [''], ['12 34'], ['whale ocean ship harbor', 'star planet orbit moon comet']])
    expect(await detectLanguage(docs(...texts))).toEqual({ language: 'en', sure: false });
});

test('stop words by language; a tag may have a region, and three letters', async () => {
  expect(await stopWordsOf('en-GB')).toEqual([...englishStopWords]);
  expect(await stopWordsOf('de')).toEqual(expect.arrayContaining(['der', 'die', 'und', 'nicht', 'über']));
  expect(await stopWordsOf('deu')).toEqual(await stopWordsOf('de-AT'));
  expect(await stopWordsOf('nb')).toContain('ikke');
  expect(await stopWordsOf('zh-Hant')).toContain('我们');
  expect(await stopWordsOf('tlh')).toEqual([]);
  await expect(stopWordsOf('!')).rejects.toThrow('The language "!" is not a language tag');
});

test('the kept list is that of the package', () => {
  expect(readFileSync(new URL('../../src/text/stop-words.generated.ts', import.meta.url), 'utf8')).toBe(stopWordsModule());
});

test('stems as Snowball has them', async () => {
  // From the vocabularies that snowballstem.org publishes beside its algorithms.
  const english = await stemmerOf('en');
  expect(['consistency', 'knightly', 'generous', 'national'].map(english.stem)).toEqual(['consist', 'knight', 'generous', 'nation']);
  const german = await stemmerOf('de-CH');
  expect(german.language).toBe('de');
  expect(['aufeinander', 'häuser', 'kategorien'].map(german.stem)).toEqual(['aufeinand', 'haus', 'kategori']);
  await expect(stemmerOf('zh')).rejects.toThrow('There are no stems for Chinese (zh); there are for ar, ca,');
});

test('words end at an apostrophe where articles are elided', async () => {
  const options = { language: 'fr', stopWords: await stopWordsOf('fr'), maxDocumentFraction: 1 };
  expect(termDocumentMatrix(docs("L'homme d’Anjou n'arrive qu'à l'aube"), options).terms).toEqual(['anjou', 'arrive', 'aube', 'homme']);
});

test('the fewest characters of a word depend on its script', () => {
  const terms = (text: string, language: string) => termDocumentMatrix(docs(text), { language, maxDocumentFraction: 1 }).terms;
  expect(terms('机器学习模型 书 ab abc', 'zh')).toEqual(['abc', '学习', '机器', '模型'].sort());
  expect(terms('水の研究でメモを加えて', 'ja')).toEqual(['水', '研究', 'メモ', '加'].sort());
  expect(terms('나는 영화 물', 'ko')).toEqual(['나는', '영화'].sort());
});

test('names of languages', () => {
  expect(languageName('zh')).toBe('Chinese');
});
