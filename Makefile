# Two commands carry the project: `make up` and `make test`. The targets up to `tools` are short names of commands of `./pgp`.
.DEFAULT_GOAL := help
STACK ?= local
# Another version of Node.js, for this command alone. Only from the command line: npm and others have a variable of that name.
ifeq ($(origin NODE),command line)
folder := $(shell operations/node.sh $(NODE))
$(if $(folder),,$(error NODE=$(NODE) is not to be had))
export PATH := $(folder):$(PATH)
endif
RUN := @operations/bootstrap.sh && exec node --import tsx
# The command that does the work; `./pgp --help` has more of it.
PGP := @exec ./pgp
# A value as one word of the shell, whatever is in it; and an option with the variable that it is given by, where that is set: behind `make` alone, since one
# that a shell still has from another command would choose what is restored or deleted.
quoted = '$(subst ','\'',$(1))'
option = $(if $(filter environment%,$(origin $(2))),$(error $(2): the shell has it ($($(2))). Allowed: behind `make` alone. Fix: `make $@ $(2)=…`, or `unset $(2)`),$(if $($(2)),$(1) $(call quoted,$($(2)))))

.PHONY: help up recover down destroy backup backups verify restore forget logs status monitoring dashboards pictures preview tools pins test policy e2e faults bench lint ci-comment ci-stacks ci-drift ci-waivers ci-post ci-providers ci-kubeconfig

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  ./pgp --help   all that the one on call needs: status, psql, switchover, restart, validate, support …"
	@echo "  Variables: STACK=$(STACK)  ENGINE=<cnpg, zalando or standalone>  CONTEXT=<kubeconfig context>  FORCE=1 (ask nothing)  NODE=<major of Node.js>"

up: ## From nothing to a working PostgreSQL: tools, cluster, pulumi up, health check, how to connect
	$(PGP) up --stack $(call quoted,$(STACK))

recover: ## After a restart of the machine or of k3d: bring back what doesn't come back by itself
	$(PGP) recover --stack $(call quoted,$(STACK))

down: ## Delete what `make up` made, after asking; FORCE=1 doesn't ask
	$(PGP) down --stack $(call quoted,$(STACK))

destroy: ## Delete the stack's objects and data, and leave the cluster; FORCE=1 doesn't ask
	$(PGP) destroy --stack $(call quoted,$(STACK))

backup: ## Make a base backup now, beside the scheduled ones
	$(PGP) backup --stack $(call quoted,$(STACK))

backups: ## List the base backups in every target, of every archive
	$(PGP) backups --stack $(call quoted,$(STACK))

verify: ## Restore the newest backup of every target beside everything else, and look whether it is whole; TARGET=<name> only one, TIME=<moment> up to then
	$(PGP) verify --stack $(call quoted,$(STACK)) $(call option,--target,TARGET) $(call option,--time,TIME)

restore: ## Make the cluster out of a backup, after asking: TARGET=<name> ARCHIVE_ID=<ten characters> [TIME=<moment>]
	$(PGP) restore --stack $(call quoted,$(STACK)) $(call option,--target,TARGET) $(call option,--archive-id,ARCHIVE_ID) $(call option,--time,TIME)

forget: ## Delete an archive that has ended, after asking: TARGET=<name> ARCHIVE_ID=<ten characters>
	$(PGP) forget --stack $(call quoted,$(STACK)) $(call option,--target,TARGET) $(call option,--archive-id,ARCHIVE_ID)

logs: ## Follow the logs of all instances and poolers; ARGS="--no-follow --since 1h --level warning --json", "--help"
	$(PGP) logs --stack $(call quoted,$(STACK)) $(ARGS)

status: ## Say on one screen whether writes work, what is wrong, and what to do next; ARGS="--watch"
	$(PGP) status --stack $(call quoted,$(STACK)) $(ARGS)

monitoring: ## Open the pages of what the stack has installed to collect metrics and to show them, until Ctrl-C
	$(PGP) monitoring --stack $(call quoted,$(STACK))

preview: ## Show what `make up` would change; without a cluster, the plan from nothing; changes nothing; AGAINST=<folder or commit> compares two plans
	$(PGP) preview --stack $(call quoted,$(STACK)) $(call option,--against,AGAINST)

dashboards: ## Write the dashboards as files that a Grafana imports by hand, into dashboards/; FOLDER=<path>
	$(RUN) local/dashboards.ts $(call quoted,$(or $(FOLDER),dashboards))

pictures: ## Draw the dashboards of what a Prometheus has: PROMETHEUS=<url> [FROM=<moment, or 90m ago> TO=<moment> NAMESPACE=<name> CLUSTER=<name> ONLY=<ids> FOLDER=<path>]
	$(RUN) local/pictures/cli.ts $(call option,--prometheus,PROMETHEUS) $(call option,--from,FROM) $(call option,--to,TO) $(call option,--namespace,NAMESPACE) $(call option,--cluster,CLUSTER) $(call option,--only,ONLY) $(call option,--folder,FOLDER)

tools: ## Only make the tools and every operator's manifest available
	$(PGP) tools

pins: ## Say which pinned versions are not the newest, as far as package registries answer; changes nothing
	$(RUN) local/pins.ts

test: ## Unit and golden tests, and those that start programs; needs no cluster
	@operations/bootstrap.sh && npm test --silent -- "tests/programs/*.test.ts"

policy: tools ## The policy pack through Pulumi's engine; needs no cluster
	@npm run policy --silent

e2e: ## End to end on a real cluster: up, SQL, killed primaries, drift, destroy
	@operations/bootstrap.sh && npm run e2e --silent

faults: ## Break the running stack in many ways while clients write; ARGS="--list", "--only 3,19 --runs 5"
	$(RUN) tests/faults/run.ts $(ARGS)

bench: ## Ratios from interleaved runs; needs a running stack
	$(RUN) tests/bench/run.ts $(ARGS)

lint: ## ESLint, Prettier, type check, floors; shellcheck, ruff and pyright for scripts
	@operations/bootstrap.sh && npm run lint --silent

ci-comment: ## Write the comment of a stack in a pull request, as the workflow does; AGAINST=<folder or commit> FILE=<path>
	$(PGP) ci comment --stack $(call quoted,$(STACK)) $(call option,--against,AGAINST) $(call option,--file,FILE)

ci-stacks: ## List the stacks that a change may be about; AGAINST=<folder or commit>
	$(PGP) ci stacks $(call option,--against,AGAINST)

ci-drift: ## Say whether what runs is what the stack file says, and fail where it isn't; FILE=<path of an issue's text>
	$(PGP) ci drift --stack $(call quoted,$(STACK)) $(call option,--file,FILE)

ci-waivers: ## Say which waivers end within 14 days, and fail where one does; FILE=<path of an issue's text>
	$(PGP) ci waivers $(call option,--file,FILE)

ci-post: ## Post comments or issues out of a folder, in a workflow: FOLDER=<path> [PULL_REQUEST=<number>]
	$(PGP) ci post $(call option,--folder,FOLDER) $(call option,--pull-request,PULL_REQUEST)

ci-providers: ## Install the providers of the stack's buckets, which `make tools` doesn't fetch
	$(PGP) ci providers --stack $(call quoted,$(STACK))

ci-kubeconfig: ## Write the kubeconfig that a workflow has as a secret (KUBECONFIG_TEXT) into the file KUBECONFIG
	@umask 077 && printf '%s\n' "$$KUBECONFIG_TEXT" > "$${KUBECONFIG:?name the file}"
