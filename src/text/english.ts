/** English function words: the English list of the npm package `stopword`, and those it lacks, old-fashioned ones among them. */
export const englishStopWords: ReadonlySet<string> = new Set(
  `a about above after again against all also am an and another any are as at be because been before being below between both but by
  came can cannot come could did do does doing down during each for from further get got had has hath have he her here hers herself
  him himself his how i if in into is it itself just like make many may me might more most much must my myself never nor now of off on
  once only or other our ours ourselves out over own per said same shall she should since some still such take than that the thee
  their theirs them themselves then there these they this those thou through thus thy to too under until unto up upon us very was way
  we well were what where which while who whom why with would you your yours yourself yourselves`.split(/\s+/),
);
