# For complete.zsh: prints what compadd is given that fits, and ends at the first completion.
PROMPT=
COLUMNS=300
autoload -Uz compinit
compinit -D -u
zstyle ':completion:*' insert-tab false
bindkey '^I' complete-word
first() { print -r -- '<<<' }
last() { print -r -- '>>>'; exit }
compprefuncs=(first) comppostfuncs=(last)
compadd() {
  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
    local -a hits texts
    local at=${@[(I)-d]} name i
    if (( at )); then
      name=${@[at+1]}
      [[ $name == \(* ]] && eval "texts=$name" || texts=("${(@P)name}")
    fi
    builtin compadd -A hits -D texts "$@"
    for (( i = 1; i <= $#hits; i++ )) print -r -- "$IPREFIX${(Q)hits[i]}	$texts[i]"
  fi
  builtin compadd "$@"
}
