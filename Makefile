# SPDX-License-Identifier: GPL-2.0
# The people's entry: `make help` lists what there is. Objects of the kernel module are listed in Kbuild, never here; everything that is
# built lands below build/, one folder per kernel, so that builds for several kernels and for userspace live side by side.

SHELL	 := /bin/bash
.SHELLFLAGS := -eo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:

B	 := build
FLAVOURS := 6.1 6.12
JOBS	 ?= $(shell nproc)
Q	 := $(if $(V),,@)
KERNELS	 := ktests/vm/kernels
SECONDS	 ?= 60
DEPS	 := tools/deps.sh

.PHONY: all
all: modules tools ## the module for both Debian kernels, and the tools

.PHONY: help
help: ## this list
	@echo 'make TARGET [V=1]'; echo
	@sed -n 's/^\([a-z_-]*\):.* ## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# ---------------------------------------------------------------------------------------------------------------- kernel module

.PHONY: modules
modules: $(if $(KDIR),kdir-module,$(FLAVOURS:%=module-%)) ## build/FLAVOUR/atcp.ko for 6.1 and 6.12, or for KDIR=… only

# Kbuild writes objects beside their sources; a mirror of symlinks gives every kernel its own place. $(1) folder, $(2) KDIR, $(3) more
define build_module
	$(Q)mkdir -p $(1)/ktests
	$(Q)find $(1) -xtype l -delete 2>/dev/null || true
	$(Q)cp -rsf $(CURDIR)/Kbuild $(CURDIR)/module $(CURDIR)/uapi $(1)/
	$(Q)if test -d ktests/kunit; then cp -rsf $(CURDIR)/ktests/kunit $(1)/ktests/; fi
	$(Q)flock $(1).lock $(MAKE) -s -j$(JOBS) -C $(2) M=$(abspath $(1)) $(3) $(if $(V),V=1) modules 2>&1 \
		| { grep -v -e 'Skipping BTF generation' -e '^make\[.*Entering' -e '^make\[.*Leaving' || true; }
endef

# The example of a module that uses ours, as somebody else would build it. Same arguments.
define build_examples
	$(Q)mkdir -p $(1)/examples
	$(Q)cp -rsf $(CURDIR)/tools/examples/cc_vegas $(1)/examples/
	$(Q)flock $(1).lock $(MAKE) -s -j$(JOBS) -C $(2) M=$(abspath $(1))/examples/cc_vegas ATCP=$(CURDIR) \
		KBUILD_EXTRA_SYMBOLS=$(abspath $(1))/Module.symvers $(3) modules 2>&1 \
		| { grep -v -e 'Skipping BTF generation' -e '^make\[.*Entering' -e '^make\[.*Leaving' || true; }
endef

.PHONY: $(FLAVOURS:%=module-%) module-debug module-race kdir-module
$(FLAVOURS:%=module-%): module-%:
	$(Q)$(DEPS) build
	$(call build_module,$(B)/$*,$$($(KERNELS) kdir $*))
	$(call build_examples,$(B)/$*,$$($(KERNELS) kdir $*))

module-debug: ## the module with its KUnit suites for the debug kernel
	$(Q)$(DEPS) build debug-kernel
	$(call build_module,$(B)/debug,$$($(KERNELS) kdir debug),ATCP_KUNIT=y CC=gcc-12)
	$(call build_examples,$(B)/debug,$$($(KERNELS) kdir debug),CC=gcc-12)

module-race: ## the module for the kernel that looks for data races (KCSAN)
	$(Q)$(DEPS) build debug-kernel
	$(call build_module,$(B)/race,$$($(KERNELS) kdir race),CC=gcc-12)
	$(call build_examples,$(B)/race,$$($(KERNELS) kdir race),CC=gcc-12)

kdir-module:
	$(call build_module,$(B)/$(notdir $(realpath $(KDIR))),$(KDIR))

.PHONY: modules_install
modules_install: ## install the module for the running kernel (or KDIR=…)
	$(Q)$(MAKE) modules KDIR=$(or $(KDIR),/lib/modules/$(shell uname -r)/build)
	$(Q)$(MAKE) -C $(or $(KDIR),/lib/modules/$(shell uname -r)/build) \
		M=$(abspath $(B)/$(notdir $(realpath $(or $(KDIR),/lib/modules/$(shell uname -r)/build)))) modules_install
	$(Q)depmod -a

# ------------------------------------------------------------------------------------------------------- programs of userspace

DEP	 := -MMD -MP
WARN	 := -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
obj	  = $(patsubst %,$(B)/$(1)/%.o,$(basename $(2)))

.PHONY: tools
tools: ## build/tools/atcp and build/tools/libatcp-preload.so
	$(Q)$(DEPS) tools
	$(Q)$(MAKE) -s -j$(JOBS) $(B)/tools/atcp $(B)/tools/libatcp-preload.so

PREFIX	 ?= /usr/local
.PHONY: tools_install
tools_install: tools ## the tool, its preload library, manual pages and completion into PREFIX (/usr/local)
	$(Q)install -D -m 755 $(B)/tools/atcp $(DESTDIR)$(PREFIX)/sbin/atcp
	$(Q)install -D -m 644 $(B)/tools/libatcp-preload.so $(DESTDIR)$(PREFIX)/lib/atcp/libatcp-preload.so
	$(Q)install -D -m 644 docs/man/atcp.8 $(DESTDIR)$(PREFIX)/share/man/man8/atcp.8
	$(Q)install -D -m 644 docs/man/atcp.7 $(DESTDIR)$(PREFIX)/share/man/man7/atcp.7
	$(Q)mkdir -p $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	$(Q)$(B)/tools/atcp completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/atcp
	$(Q)$(B)/tools/atcp completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_atcp

TOOL_SRC := $(sort $(wildcard tools/atcp/*.cpp))
# The parser of the command line is templates throughout: -O2 -g doubles its compilation and the tool gains nothing.
TOOLOPT	 := -O1
# The BPF program lies within the tool. It needs no types of this machine's kernel: libbpf finds them where it is loaded.
$(B)/tools/bpf/%.bpf.o: tools/bpf/%.bpf.c
	$(Q)mkdir -p $(@D)
	$(Q)clang -target bpf -O2 -g -Wall -Wextra -Wno-unused-parameter $(DEP) -idirafter /usr/include/$$(gcc -print-multiarch) \
		-Iuapi -c -o $@ $<
$(B)/tools/bpf/%_bpf.skel.h: $(B)/tools/bpf/%.bpf.o
	$(Q)/usr/sbin/bpftool gen skeleton $< name $*_bpf >$@
.SECONDARY: $(B)/tools/bpf/attach.bpf.o
$(B)/tools/tools/atcp/attach_bpf.o: $(B)/tools/bpf/attach_bpf.skel.h
$(B)/tools/tools/atcp/attach_bpf.o $(B)/tools/tools/atcp/commands_attach.o: TOOLINC := -Itools/bpf -I$(B)/tools/bpf
$(B)/tools/%.o: %.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ -std=c++20 $(TOOLOPT) $(WARN) $(DEP) -Iuapi -Itools/atcp $(TOOLINC) -c -o $@ $<
# libbpf and what it needs are linked in: only three commands use them, the others must not need them installed.
$(B)/tools/atcp: $(call obj,tools,$(TOOL_SRC))
	$(Q)g++ -o $@ $^ -lmnl -lfmt -Wl,-Bstatic -lbpf -lelf -lz -Wl,-Bdynamic
$(B)/tools/libatcp-preload.so: $(wildcard tools/preload/*.c)
	$(Q)mkdir -p $(@D)
	$(Q)gcc -O2 -g -Wall -Wextra -fPIC -shared -Iuapi -o $@ $^ -ldl -pthread

PROG_SRC := $(sort $(wildcard ktests/vm/progs/*.c ktests/vm/progs/*.cpp))
PROGS	 := $(addprefix $(B)/progs/,$(notdir $(basename $(PROG_SRC)))) $(B)/progs/compare
# The kernel's own netlink tool, to try it on our family.
$(B)/ynl/tools/net/ynl/cli.py:
	$(Q)$(DEPS) ynl
	$(Q)mkdir -p $(B)/ynl
	$(Q)tar -xJf /usr/src/linux-source-6.12.tar.xz -C $(B)/ynl --strip-components=1 -m \
		linux-source-6.12/tools/net/ynl linux-source-6.12/Documentation/netlink/genetlink.yaml
$(B)/ynl/valid: uapi/atcp.yaml $(B)/ynl/tools/net/ynl/cli.py
	$(Q)python3 -c 'import sys, yaml, jsonschema; jsonschema.validate(*(yaml.safe_load(open(f)) for f in sys.argv[1:]))' \
		$< $(B)/ynl/Documentation/netlink/genetlink.yaml
	$(Q)touch $@
.PHONY: ynl
ynl: $(B)/ynl/valid ## tools/net/ynl of Debian's kernel source, in build/ynl; uapi/atcp.yaml is valid by its schema

.PHONY: progs
progs: ## the programs that VM scenarios run, in build/progs
	$(Q)$(MAKE) -s -j$(JOBS) -f Makefile progs-files
.PHONY: progs-files
progs-files: $(PROGS)
$(B)/progs/%: ktests/vm/progs/%.c
	$(Q)mkdir -p $(@D)
	$(Q)gcc -O2 -g -Wall -Wextra $(DEP) -MF $@.d -Iuapi $(PROGLD) -o $@ $< -pthread
$(B)/progs/protocols: PROGLD := -static
# Of several files.
$(B)/progs-parts/%.o: ktests/vm/progs/%.c
	$(Q)mkdir -p $(@D)
	$(Q)gcc -O2 -g -Wall -Wextra $(DEP) -Iuapi -c -o $@ $<
$(B)/progs/compare: $(patsubst ktests/vm/progs/%.c,$(B)/progs-parts/%.o,$(wildcard ktests/vm/progs/compare/*.c))
	$(Q)mkdir -p $(@D)
	$(Q)gcc -o $@ $^ -pthread
$(B)/progs/%: ktests/vm/progs/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ -std=c++20 -O2 -g $(WARN) $(DEP) -MF $@.d -Iuapi -o $@ $< -pthread

# ------------------------------------------------------------------------------------------------------------------ unit tests

# The core is compiled with the kernel's rules of the language and userspace's sanitizers; the tests like any program.
comma	 := ,
SAN	 := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FREE	 := -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-sanitize=vptr
CORE_SRC := $(sort $(filter-out module/core/tests/%,$(wildcard module/core/*.cpp module/core/*/*.cpp)))
UNIT_SRC := $(sort $(shell find module/core/tests -name '*.cpp' -not -path '*/stress/*' -not -path '*/bench/*' 2>/dev/null))
TTST_SRC := $(sort $(wildcard tools/atcp/tests/*.cpp)) $(filter-out tools/atcp/main.cpp tools/atcp/commands_%.cpp tools/atcp/%_bpf.cpp,$(TOOL_SRC))
UNITFLAGS := -std=c++20 -Og -g1 $(WARN) -funsigned-char -fno-strict-aliasing $(SAN) $(DEP) -Iuapi
# What is watched is the core: without optimisation and UBSan of its own a test compiles in half the time. The core's objects come
# first when they are linked, so of functions of headers theirs are taken.
TESTFLAGS := $(patsubst -fsanitize=address$(comma)undefined,-fsanitize=address,$(subst -Og,-O0,$(UNITFLAGS)))

$(B)/unit/module/core/tests/%.o: module/core/tests/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(TESTFLAGS) -Imodule/core -Imodule/core/tests -c -o $@ $<
$(B)/unit/module/core/%.o: module/core/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(UNITFLAGS) $(FREE) -Imodule/core -c -o $@ $<
$(B)/unit/tools/%.o: tools/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(UNITFLAGS) -Itools/atcp -c -o $@ $<
$(B)/unit/core_tests: $(call obj,unit,$(CORE_SRC) $(UNIT_SRC))
	$(Q)g++ $(SAN) -o $@ $^ -lgtest -lgtest_main -pthread
$(B)/unit/tool_tests: $(call obj,unit,$(TTST_SRC))
	$(Q)g++ $(SAN) -o $@ $^ -lgtest -lgtest_main -lmnl -lfmt -pthread

.PHONY: unit
unit: ## unit tests of the core, over IPv4 and IPv6, and of the tools, under ASan and UBSan (ARGS=--gtest_filter=…)
	$(Q)$(DEPS) unit tools sim
	$(Q)$(MAKE) -s -j$(JOBS) $(B)/unit/core_tests $(B)/unit/tool_tests $(B)/sim/sim_tests
	$(Q)tools/check/gtest.sh unit $(B)/unit/core_tests module/core/tests/core_tests_v6 $(B)/unit/tool_tests $(B)/sim/sim_tests -- $(ARGS)

# --------------------------------------------------------------------------------------------------- tables under threads, and measured

# Only the folders that the tables need, on a port with threads and liburcu instead of the fake one. -Wno-tsan: ThreadSanitizer does
# not know fences, which the wheel has; no test here relies upon one.
TABLE_SRC := $(addprefix module/core/base/,siphash.cpp treap.cpp) $(addprefix module/core/table/,ehash.cpp endpoint.cpp listen_table.cpp port_table.cpp wheel.cpp)
STRESS_SRC := $(sort $(wildcard module/core/tests/stress/*.cpp))
BENCH_SRC := $(sort $(filter-out %/ack_bench.cpp,$(wildcard module/core/tests/bench/*.cpp))) module/core/tests/stress/thread_os.cpp
CXX_PLAIN := -std=c++20 -g1 $(WARN) -funsigned-char -fno-strict-aliasing $(DEP) -Iuapi -Imodule/core -Imodule/core/tests
$(B)/stress/%.o: %.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(CXX_PLAIN) -O1 -fsanitize=thread -Wno-tsan -c -o $@ $<
$(B)/bench/%.o: %.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(CXX_PLAIN) -O2 -c -o $@ $<
$(B)/stress/stress_tests: $(call obj,stress,$(TABLE_SRC) $(STRESS_SRC))
	$(Q)g++ -fsanitize=thread -o $@ $^ -lgtest -lgtest_main -lurcu-memb -pthread
$(B)/bench/tables: $(call obj,bench,$(TABLE_SRC) $(BENCH_SRC))
	$(Q)g++ -o $@ $^ -lbenchmark -lurcu-memb -pthread

.PHONY: stress
stress: ## the tables under threads and ThreadSanitizer, SECONDS=60 for each
	$(Q)$(DEPS) stress
	$(Q)$(MAKE) -s -j$(JOBS) $(B)/stress/stress_tests
	$(Q)ATCP_STRESS_SECONDS=$(SECONDS) tools/check/gtest.sh stress $(B)/stress/stress_tests -- $(ARGS)

.PHONY: bench-tables
bench-tables: ## nanoseconds per lookup with 1 k, 100 k and 1 M entries; choosing a port in a full range
	$(Q)$(DEPS) stress bench-tables
	$(Q)$(MAKE) -s -j$(JOBS) $(B)/bench/tables
	$(Q)$(B)/bench/tables $(ARGS)

# Of the tests' port what is no test.
FAKE_SRC := $(addprefix module/core/tests/,fake_net.cpp fake_os.cpp fake_syn.cpp fake_text.cpp)
# TestBody of a fixture without a test wants gtest's library.
ACKS_SRC := $(CORE_SRC) $(FAKE_SRC) module/core/tests/bench/ack_bench.cpp
$(B)/bench/acks: $(call obj,bench,$(ACKS_SRC))
	$(Q)g++ -o $@ $^ -lbenchmark -lgtest -pthread

.PHONY: bench-acks
bench-acks: ## nanoseconds per ACK with 1 k, 10 k and 100 k segments in flight, one of a hundred lost
	$(Q)$(DEPS) unit bench-tables
	$(Q)$(MAKE) -s -j$(JOBS) $(B)/bench/acks
	$(Q)$(B)/bench/acks $(ARGS)

# ------------------------------------------------------------------------------------------------------------------- simulator

# The core as the module has it, optimised and without sanitizers, on a port of virtual time.
SIM_SRC	 := $(sort $(wildcard tools/sim/*.cpp))
STST_SRC := $(sort $(wildcard tools/sim/tests/*.cpp)) $(filter-out tools/sim/main.cpp,$(SIM_SRC))
SIMFLAGS := -std=c++20 -O2 -g1 $(WARN) -funsigned-char -fno-strict-aliasing $(DEP) -Iuapi -Imodule/core
SIMLIBS	 := -lfmt
$(B)/sim/module/core/%.o: module/core/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(SIMFLAGS) $(FREE) -c -o $@ $<
$(B)/sim/tools/sim/%.o: tools/sim/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(SIMFLAGS) $(SIMOPT) -Itools/sim -c -o $@ $<
# Templates of parsers, as above: nothing there is worth optimising.
$(B)/sim/tools/sim/main.o $(B)/sim/tools/sim/flags.o $(B)/sim/tools/sim/scenario.o: SIMOPT := -O1
$(B)/tools/atcp-sim: $(call obj,sim,$(CORE_SRC) $(SIM_SRC))
	$(Q)mkdir -p $(@D)
	$(Q)g++ -o $@ $^ $(SIMLIBS)
$(B)/sim/sim_tests: $(call obj,sim,$(CORE_SRC) $(STST_SRC))
	$(Q)g++ -o $@ $^ -lgtest -lgtest_main $(SIMLIBS) -pthread

.PHONY: atcp-sim
atcp-sim: ## build/tools/atcp-sim, the simulator (docs/simulation.md)
	$(Q)$(DEPS) unit tools sim
	$(Q)$(MAKE) -s -j$(JOBS) $(B)/tools/atcp-sim

.PHONY: sim
sim: ## what the simulator shows: runs all claims, renews docs/simulation.md and its plots
	$(Q)$(MAKE) atcp-sim
	$(Q)$(B)/tools/atcp-sim --claims full --docs docs $(ARGS)

# ------------------------------------------------------------------------------------------------- every path within bounds

# Two cores and the network between them upon a port of their own. Fast for the great run; with sanitizers for the
# small one. The core is compiled as for the kernel but for -O2 and the host's headers.
EXPLORE_SRC := $(CORE_SRC) $(sort $(wildcard ktests/explore/*.cpp))
EXPLOREFLAGS := -std=c++20 -O2 -g1 $(WARN) -Wno-invalid-offsetof -funsigned-char -fno-strict-aliasing -fno-exceptions -fno-rtti $(DEP) -Iuapi -Imodule/core -Iktests
$(B)/explore/fast/%.o: %.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(EXPLOREFLAGS) -c -o $@ $<
$(B)/explore/asan/%.o: %.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(EXPLOREFLAGS) $(SAN) -fno-sanitize=vptr -c -o $@ $<
$(B)/explore/explore: $(call obj,explore/fast,$(EXPLORE_SRC))
	$(Q)g++ -o $@ $^
$(B)/explore/explore_asan: $(call obj,explore/asan,$(EXPLORE_SRC))
	$(Q)g++ $(SAN) -o $@ $^

.PHONY: explore
explore: ## all interleavings of two cores and a hostile network within bounds (SMALL=1: a minute or two; ARGS='--replay PATH' or a scenario)
	$(Q)$(DEPS) unit
	$(Q)$(MAKE) -s -j$(JOBS) $(B)/explore/explore $(B)/explore/explore_asan
	$(Q)SMALL=$(SMALL) tools/check/explore.sh $(B)/explore/explore $(B)/explore/explore_asan -- $(ARGS)

# ------------------------------------------------------------------------------------------------------------------------ fuzz

FUZZ	 := $(sort $(wildcard ktests/fuzz/*_fuzz.cpp))
FUZZBIN	 := $(patsubst ktests/fuzz/%.cpp,$(B)/fuzz/%,$(FUZZ))
FUZZFLAGS := -std=c++20 -O1 -g -funsigned-char -fno-strict-aliasing -fsanitize=address,undefined $(DEP) -Iuapi -Imodule/core -Imodule/core/tests -Iktests
FUZZ_SHARED := $(CORE_SRC) $(FAKE_SRC)

$(B)/fuzz/module/%.o: module/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)clang++ $(FUZZFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
$(B)/fuzz/ktests/%.o: ktests/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)clang++ $(FUZZFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
$(FUZZBIN): $(B)/fuzz/%: $(B)/fuzz/ktests/fuzz/%.o $(call obj,fuzz,$(FUZZ_SHARED))
	$(Q)clang++ -fsanitize=fuzzer,address,undefined -o $@ $^ -lgtest -pthread

.PHONY: fuzz fuzz-files fuzz-corpus
fuzz-files: $(FUZZBIN)
fuzz: ## libFuzzer targets, SECONDS=60 in all; the corpus grows in build/fuzz
	$(Q)$(DEPS) fuzz
	$(Q)$(MAKE) -s -j$(JOBS) fuzz-files
	$(Q)tools/check/fuzz.sh $(SECONDS) $(FUZZBIN)
fuzz-corpus: ## ktests/fuzz/corpus anew: few short inputs that reach all that those found so far reach
	$(Q)$(DEPS) fuzz
	$(Q)$(MAKE) -s -j$(JOBS) fuzz-files
	$(Q)tools/check/fuzz.sh --renew $(FUZZBIN)

# -------------------------------------------------------------------------------------------------------------------- coverage

# Only the core counts lines; the tests are those of `unit`. The fuzz targets read the corpus of the repository.
COVERAGE := 90
COVFLAGS := -std=c++20 -O0 -g1 -w -funsigned-char -fno-strict-aliasing $(DEP) -Iuapi -Imodule/core
$(B)/coverage/module/core/%.o: module/core/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(COVFLAGS) $(FREE) --coverage -c -o $@ $<
$(B)/coverage/ktests/%.o: ktests/%.cpp
	$(Q)mkdir -p $(@D)
	$(Q)g++ $(COVFLAGS) -Imodule/core/tests -Iktests $(SAN) -c -o $@ $<
COV_CORE := $(call obj,coverage,$(CORE_SRC))
COV_FUZZ := $(patsubst ktests/fuzz/%.cpp,$(B)/coverage/%,$(FUZZ))
$(B)/coverage/core_tests: $(COV_CORE) $(call obj,unit,$(UNIT_SRC))
	$(Q)g++ $(SAN) --coverage -o $@ $^ -lgtest -lgtest_main -pthread
$(COV_FUZZ): $(B)/coverage/%: $(B)/coverage/ktests/fuzz/%.o $(B)/coverage/ktests/fuzz/replay_main.o $(COV_CORE) \
		$(call obj,unit,$(FAKE_SRC))
	$(Q)g++ $(SAN) --coverage -o $@ $^ -lgtest -pthread

.PHONY: coverage coverage-files
coverage-files: $(B)/coverage/core_tests $(COV_FUZZ)
coverage: ## lines of the core that unit tests and the fuzzers' corpus reach, per folder; below 90 % fails (V=1: which not)
	$(Q)$(DEPS) unit
	$(Q)$(MAKE) -s -j$(JOBS) coverage-files
	$(Q)mkdir -p $(B)/results
	$(Q)find $(B)/coverage -name '*.gcda' -delete
	$(Q)$(B)/coverage/core_tests --gtest_brief=1 >$(B)/results/coverage.log 2>&1 || { cat $(B)/results/coverage.log; exit 1; }
	$(Q)for b in $(COV_FUZZ); do name=$${b##*/}; \
		tools/check/corpus.py unpack ktests/fuzz/corpus/$$name.hex $(B)/coverage/seeds/$$name; \
		$$b $(B)/coverage/seeds/$$name >>$(B)/results/coverage.log 2>&1 || { cat $(B)/results/coverage.log; exit 1; }; done
	$(Q)V=$(V) tools/check/coverage.py $(B)/coverage $(COVERAGE)

# ------------------------------------------------------------------------------------------------------ tests in virtual machines

.PHONY: kunit
kunit: ## KUnit suites of the glue, in the debug kernel
	$(Q)$(DEPS) vm
	$(Q)$(MAKE) module-debug
	$(Q)ktests/kunit/run

.PHONY: vm-test
vm-test: ## whole-system scenarios on 6.1 and 6.12 (ARGS='--kernel 6.1|6.12|debug|race NAME…')
	$(Q)$(DEPS) vm demo $(if $(filter --long apps,$(ARGS)),apps)
	$(Q)$(MAKE) modules module-debug $(if $(filter race,$(ARGS)),module-race) tools progs ynl
	$(Q)mkdir -p $(B)/results
	$(Q)ATCP_RESULT=$(abspath $(B)/results/vm-test.txt) ktests/vm/scenarios/run-all $(ARGS)

KERNEL	 ?= 6.1
.PHONY: vm-shell
vm-shell: ## a shell in a guest with atcp loaded (KERNEL=6.1|6.12|debug)
	$(Q)$(DEPS) vm
	$(Q)$(MAKE) module-$(KERNEL) tools progs
	$(Q)ktests/vm/run --kernel $(KERNEL) --shell

.PHONY: demo
demo: ## watch atcp carry files to and from a stock peer (ARGS=-6: over IPv6)
	$(Q)$(DEPS) vm demo
	$(Q)$(MAKE) module-6.1 tools progs
	$(Q)ktests/vm/demo $(ARGS)

.PHONY: tour
tour: ## docs/tour.md anew: its ten commands, run in a virtual machine
	$(Q)$(DEPS) vm
	$(Q)$(MAKE) module-6.12 tools
	$(Q)ktests/vm/scenarios/tour.py renew

.PHONY: apps
apps: ## real programs on atcp, as server and as client: the matrix of docs/applications.md (ARGS='--kernel 6.12 redis ssh')
	$(Q)$(DEPS) vm apps
	$(Q)$(MAKE) modules tools
	$(Q)ktests/vm/scenarios/apps.py matrix $(ARGS)

.PHONY: bench
bench: ## atcp and the kernel's TCP side by side, one table
	$(Q)$(DEPS) vm bench
	$(Q)$(MAKE) module-$(KERNEL) tools progs
	$(Q)ktests/bench/run --kernel $(KERNEL) $(ARGS)
	$(Q)$(if $(ARGS),,ktests/bench/run --opening --kernel $(KERNEL))

.PHONY: profile
profile: ## instructions by function of an accepted connection, both stacks (ARGS=cookie, request, timewait, segment)
	$(Q)$(DEPS) vm bench
	$(Q)$(MAKE) module-$(KERNEL) tools progs
	$(Q)ktests/bench/profile --kernel $(KERNEL) $(ARGS)

.PHONY: bench-open
bench-open: ## what opening connections costs, both stacks (ARGS=--long: half a million entries)
	$(Q)$(DEPS) vm bench
	$(Q)$(MAKE) module-$(KERNEL) tools progs
	$(Q)ktests/bench/run --opening --kernel $(KERNEL) $(ARGS)

# ---------------------------------------------------------------------------------------------------------------------- all tests

.PHONY: check
check: ## sparse, formatting, cppcheck, architecture, generated files; silent when clean (UPDATE=1 renews imports.txt)
	$(Q)$(DEPS) build check gen
	$(Q)$(MAKE) modules
	$(Q)V=$(V) UPDATE=$(UPDATE) tools/check/run

.PHONY: conformance
conformance: ## unit tests, then docs/conformance.md from docs/conformance/*.tsv and the score per RFC
	$(Q)$(MAKE) unit ARGS=
	$(Q)tools/check/conformance.py

.PHONY: gen gen-check
gen: ## what follows from uapi/atcp.yaml (UAPI header, policies, operations, reasons, abi.txt) and the core's tables (docs/parameters.md, atcp.7)
	$(Q)$(DEPS) gen
	$(Q)tools/gen/gen.py
gen-check: ## that it is up to date and no number of the UAPI has changed; silent when so
	$(Q)$(DEPS) gen
	$(Q)tools/gen/gen.py --check

.PHONY: format
format: ## clang-format the C++ sources in place
	$(Q)tools/check/format.sh -i

.PHONY: test
test: ## everything that must pass; the last line is "N passed, M failed"
	$(Q)tools/check/stages unit stress explore check coverage kunit fuzz vm-test

.PHONY: test-long
test-long: ## test, then an hour of fuzzing and every scenario that test leaves out
	$(Q)FUZZ_SECONDS=3600 STRESS_SECONDS=120 EXPLORE_SMALL= VM_ARGS=--long tools/check/stages unit stress explore check coverage kunit fuzz vm-test

.PHONY: clean
clean: ## remove build/ (the kernels in the cache stay)
	$(Q)rm -rf $(B)

-include $(shell find $(B)/unit $(B)/tools $(B)/fuzz $(B)/progs $(B)/progs-parts $(B)/stress $(B)/bench $(B)/sim $(B)/explore $(B)/coverage -name '*.d' 2>/dev/null)
