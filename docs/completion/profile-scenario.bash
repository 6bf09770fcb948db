# SPDX-License-Identifier: GPL-3.0-only
# bash completion of profile-scenario

# The first words of a table.
_profile_scenario_first()
{
	profile-scenario "$@" 2>/dev/null | sed -n '2,$s/^\([A-Za-z0-9._-][A-Za-z0-9._-]*\) .*/\1/p'
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
	local cur=$1 prev=$2 i

	case $prev in
	--type)
		i=$(profile-scenario run --help 2>/dev/null | sed -n '/^types:/,/^$/s/^  \([a-z]*\) .*/\1/p')
		COMPREPLY=($(compgen -W "${i:-cpu memory io} all" -- "$cur"))
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
		COMPREPLY=($(compgen -W 'text github' -- "$cur"))
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
	--binary | --config | --diff | --base-binary | --new-binary | --markdown | --html | --detail | --output | --svg | --store)
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
}

_profile_scenario()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} i
	local both='--help --version'
	local run='--scenario --all --attach --attach-window --no-tree --type --output-dir --binary --config --sampling-rate --runs
		--warmup --timeout --grace --ready --ready-timeout --load --work --latency --skip
		--duration --prepare --set --history --store -q --quiet -u --user --control --dry-run --json --show-output --skip-unavailable --mode --io-stacks
		--call-graph --diff --detailed-freq --max-snapshots --depth --threshold --time-unit
		--alloc-fn --ignore-fn --pages-as-heap --stacks'

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			COMPREPLY=($(compgen -f -- "$cur"))
			return
		fi
	done
	# report's has no value: a store may follow it.
	if [[ $command/$prev != report/--history ]]; then
		_profile_scenario_value "$cur" "$prev" && return
	fi
	case $command in
	list)
		COMPREPLY=($(compgen -W "--config $both" -- "$cur"))
		;;
	doctor)
		COMPREPLY=($(compgen -W "--binary --config --output-dir --json $both" -- "$cur"))
		;;
	baseline)
		COMPREPLY=($(compgen -W "save list verify $(_profile_scenario_baselines) --output-dir --force $both" -- "$cur"))
		;;
	compare)
		COMPREPLY=($(compgen -W "--output-dir --config --scenario --base-binary --new-binary -u --user
			--runs --type --fail-on --allow-new --force --all --json --markdown --html --format $both
			$(_profile_scenario_baselines)" -- "$cur")
			$(compgen -f -- "$cur"))
		;;
	sweep)
		COMPREPLY=($(compgen -W "--scenario --over --cost --runs --prepare --binary --output-dir --config --type
			--ready --ready-timeout --load --work --latency --skip --duration --timeout --grace --mode -u --user --json
			$both" -- "$cur"))
		;;
	history)
		COMPREPLY=($(compgen -W "add list show trend check merge prune --store --output-dir --label --more --host
			--scenario --type --config --svg --json --all --keep $both" -- "$cur") $(compgen -f -- "$cur"))
		;;
	analyze)
		COMPREPLY=($(compgen -W "--output-dir --scenario --detail --ease --config --stdout $both" -- "$cur")
			$(compgen -f -- "$cur"))
		;;
	report)
		COMPREPLY=($(compgen -W "--output-dir --scenario --text --output --history $both" -- "$cur")
			$(compgen -f -- "$cur"))
		;;
	export)
		if [[ $prev == --format ]]; then
			COMPREPLY=($(compgen -W 'pprof speedscope perfetto openmetrics ndjson' -- "$cur"))
			return
		fi
		COMPREPLY=($(compgen -W "--format --output --stacks --detail --calls $both" -- "$cur") $(compgen -f -- "$cur"))
		;;
	merge)
		COMPREPLY=($(compgen -W "--output $both" -- "$cur") $(compgen -f -- "$cur"))
		;;
	accept)
		COMPREPLY=($(compgen -W "--output-dir --config --all --dry-run $both $(_profile_scenario_scenarios)" -- "$cur"))
		;;
	*)
		COMPREPLY=($(compgen -W "$run $both" -- "$cur"))
		if ((COMP_CWORD == 1)); then
			COMPREPLY+=($(compgen -W 'run list doctor baseline compare sweep history accept analyze report export merge' -- "$cur"))
		fi
		;;
	esac
}

complete -F _profile_scenario profile-scenario
