# SPDX-License-Identifier: GPL-3.0-only
# bash completion of profile-scenario

# The first words of a table that the program on the command line prints.
_profile_scenario_first()
{
	"${COMP_WORDS[0]}" "$@" 2>/dev/null | sed -n '2,$s/^\([A-Za-z0-9._-][A-Za-z0-9._-]*\) .*/\1/p'
}

# What --help has between a line that begins with $1 and the next empty one.
_profile_scenario_named()
{
	"${COMP_WORDS[0]}" --help 2>/dev/null | sed -n "/^$1/,/^\$/s/^  \([a-z]*\) .*/\1/p"
}

# The options in the --help of a command.
_profile_scenario_options()
{
	"${COMP_WORDS[0]}" "$1" --help 2>/dev/null | sed -n 's/^  \(-[a-zA-Z], \)\{0,1\}\(--[a-z-]*\).*/\1\2/p' | tr -d ,
}

_profile_scenario_scenarios()
{
	_profile_scenario_first list
}

_profile_scenario_baselines()
{
	_profile_scenario_first baseline list
}

_profile_scenario_value()
{
	local cur=$1 prev=$2 command=$3

	case $prev in
	--type)
		COMPREPLY=($(compgen -W "$(_profile_scenario_named types) all" -- "$cur"))
		;;
	--mode)
		COMPREPLY=($(compgen -W 'auto ptrace' -- "$cur"))
		;;
	--call-graph)
		COMPREPLY=($(compgen -W 'dwarf fp' -- "$cur"))
		;;
	--time-unit)
		COMPREPLY=($(compgen -W 'i ms B' -- "$cur"))
		;;
	--fail-on)
		COMPREPLY=($(compgen -W 'regressions limits nothing' -- "$cur"))
		;;
	--format)
		if [[ $command == export ]]; then
			COMPREPLY=($(compgen -W 'pprof speedscope perfetto openmetrics ndjson' -- "$cur"))
		else
			COMPREPLY=($(compgen -W 'text github' -- "$cur"))
		fi
		;;
	--ready)
		COMPREPLY=($(compgen -W 'udp: tcp:' -- "$cur"))
		compopt -o nospace
		;;
	-u | --user)
		COMPREPLY=($(compgen -u -- "$cur"))
		;;
	--scenario)
		COMPREPLY=($(compgen -W "$(_profile_scenario_scenarios)" -- "$cur"))
		;;
	--attach)
		COMPREPLY=($(compgen -W "$(ps -eo comm= 2>/dev/null)" -- "$cur"))
		;;
	--output-dir)
		COMPREPLY=($(compgen -d -- "$cur"))
		;;
	--binary | --config | --diff | --base-binary | --new-binary | --markdown | --html | --detail | -o | --output | --svg | --store)
		COMPREPLY=($(compgen -f -- "$cur"))
		;;
	--ease | --sampling-rate | --runs | --warmup | --timeout | --grace | --ready-timeout | --load | --work | \
		--latency | --skip | --duration | --detailed-freq | --max-snapshots | --depth | \
		--threshold | --alloc-fn | --ignore-fn | --prepare | --set | --over | --cost | --history | --label | --host | --keep)
		;;
	*)
		return 1
		;;
	esac
	return 0
}

_profile_scenario()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} prefix=

	# --mode=auto is --mode auto: three words of bash, which wants the last alone, one word of other shells.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	elif [[ $cur == --*=* ]]; then
		prev=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}
	fi
	COMPREPLY=()
	_profile_scenario_reply "$cur" "$prev" "${COMP_WORDS[1]}"
	COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
}

_profile_scenario_reply()
{
	local cur=$1 prev=$2 command=$3 words= i

	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			COMPREPLY=($(compgen -f -- "$cur"))
			return
		fi
	done
	# report's has no value: a store may follow it.
	if [[ $command/$prev != report/--history ]]; then
		_profile_scenario_value "$cur" "$prev" "$command" && return
	fi
	case $command in
	baseline)
		words="save list verify $(_profile_scenario_baselines)"
		;;
	compare)
		words=$(_profile_scenario_baselines)
		;;
	history)
		words='add list show trend check merge prune'
		;;
	accept)
		words=$(_profile_scenario_scenarios)
		;;
	list | doctor | sweep | analyze | report | export | merge)
		;;
	*)
		command=run
		((COMP_CWORD > 1)) || words=$(_profile_scenario_named commands)
		;;
	esac
	COMPREPLY=($(compgen -W "$(_profile_scenario_options "$command") $words" -- "$cur"))
	case $command in
	compare | history | analyze | report | export | merge)
		COMPREPLY+=($(compgen -f -- "$cur"))
		;;
	esac
}

complete -F _profile_scenario profile-scenario
