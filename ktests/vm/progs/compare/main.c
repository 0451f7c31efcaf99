// SPDX-License-Identifier: GPL-2.0
/*
 * Runs every sequence on two stacks and compares the transcripts step by step. A line "ok NAME" for each sequence, "not ok
 * NAME/STEP: kernel={…} atcp={…}" for each step that differs and is not in the document; at last a line with counts. The
 * status is 0 only if nothing differs that is not documented, and all that is documented differs.
 */
#include "compare.h"
#include "transcript.h"

#include <fnmatch.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <sched.h>
#include <sys/utsname.h>

enum { MAX_SEQUENCES = 8000, PATIENCE_S = 5 };

enum kind { CALL, OPTION, SCRIPT, BLOCKING };

static struct sequence {
	char name[128];
	enum kind kind;
	const struct state *state;
	const void *what; /* call, option or script */
	size_t number;	  /* of BLOCKING */
} sequences[MAX_SEQUENCES];
static size_t sequences_count;

/* Both sides' transcripts, where in them each sequence's begins, and how far the process that writes them is. */
static struct shared {
	volatile size_t current;
	size_t begin[2][MAX_SEQUENCES], end[2][MAX_SEQUENCES];
	struct transcript t[2];
} *shared;

static void add(enum kind kind, const struct state *state, const void *what, size_t number, const char *name)
{
	struct sequence *s = &sequences[sequences_count++];

	if (sequences_count > MAX_SEQUENCES)
		abort();
	s->kind = kind;
	s->state = state;
	s->what = what;
	s->number = number;
	snprintf(s->name, sizeof(s->name), "%s", name);
}

static void add_calls_in(const struct state *in, size_t in_count, const struct call *calls, size_t count)
{
	char name[128];
	size_t i, k;

	for (i = 0; i < in_count; i++) {
		for (k = 0; k < count; k++) {
			snprintf(name, sizeof(name), "call/%s/%s", in[i].name, calls[k].name);
			add(CALL, &in[i], &calls[k], 0, name);
		}
	}
}

static void add_calls(const struct call *calls, size_t count)
{
	add_calls_in(states, states_count, calls, count);
	if (family == AF_INET6)
		add_calls_in(six_states, six_states_count, calls, count);
}

static void add_scripts(const struct script *list, size_t count)
{
	char name[128];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "script/%s", list[i].name);
		add(SCRIPT, NULL, &list[i], 0, name);
	}
}

/* Is the option tried in that state? */
static bool has_option(const struct option *o, const struct state *s)
{
	if (family == AF_INET)
		return o->level != SOL_IPV6 || o->number == IPV6_V6ONLY;
	/* With an IPv4 peer what matters is which of the two IPs an option is of. */
	return o->level == SOL_IP || o->level == SOL_IPV6 || s < six_states || s >= six_states + six_states_count;
}

static void add_options(const struct state *s)
{
	char name[128];
	size_t k;

	for (k = 0; k < options_count; k++) {
		snprintf(name, sizeof(name), "option/%s/%s", s->name, options[k].name);
		if (has_option(&options[k], s))
			add(OPTION, s, &options[k], 0, name);
	}
}

static void add_all(void)
{
	/* Options in the states that change what can be set, or what is told. */
	static const char *const for_options[] = { "fresh", "listening", "established", "accepted", "reset" };
	const char *more;
	size_t i;

	add_calls(conn_calls, conn_calls_count);
	add_calls(io_calls, io_calls_count);
	add_calls(misc_calls, misc_calls_count);
	if (family == AF_INET6)
		add_calls(six_calls, six_calls_count);
	for (i = 0; i < COUNT(for_options); i++)
		add_options(state_named(for_options[i]));
	for (i = 0; family == AF_INET6 && i < six_states_count; i++)
		add_options(&six_states[i]);
	add_scripts(scripts, scripts_count);
	if (family == AF_INET6)
		add_scripts(six_scripts, six_scripts_count);
	for (i = 0; (more = blocking_name(i)); i++)
		add(BLOCKING, NULL, NULL, i, more);
}

static void run(const struct sequence *s, struct world *w)
{
	world_begin(w);
	switch (s->kind) {
	case CALL:
		s->state->make(w);
		((const struct call *)s->what)->run(w);
		break;
	case OPTION:
		s->state->make(w);
		run_option(w, s->what);
		break;
	case SCRIPT:
		run_script(w, ((const struct script *)s->what)->text);
		break;
	case BLOCKING:
		run_blocking(w, s->number);
		break;
	}
	note_after(w);
	world_end(w);
}

static void begin(int side, size_t n)
{
	shared->begin[side][n] = shared->end[side][n] = shared->t[side].used;
	shared->current = n;
}

/* The process that runs sequences from `first` on; one that kills it is the last. */
static void work(int side, size_t first, const bool *wanted)
{
	struct transcript *t = &shared->t[side];
	struct world w;
	size_t i;

	begin(side, first);
	transcript_use(t);
	world_setup();
	for (i = first; i < sequences_count; i++) {
		if (!wanted[i])
			continue;
		begin(side, i);
		run(&sequences[i], &w);
		shared->end[side][i] = t->used;
	}
	exit(0);
}

/* The process is gone in the middle of a sequence: that is its outcome. */
static size_t cut_short(int side, const char *how, int number)
{
	struct transcript *t = &shared->t[side];
	size_t n = shared->current;

	transcript_use(t);
	step("end", "%s %d", how, number);
	shared->end[side][n] = t->used;
	fprintf(stderr, "%s: %s %d\n", sequences[n].name, how, number);
	return n + 1;
}

/*
 * Follows a worker until it ends. Returns the sequence to go on with in another process. A sequence that lasts for seconds
 * hangs, and its process is killed.
 */
static size_t follow(pid_t pid, int side)
{
	struct timespec patience = { (time_t)PATIENCE_S * slow_factor, 0 };
	size_t last = sequences_count;
	sigset_t child;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		/* Virtual time goes on to the next deadline while the guest waits for a file of the host: that must not be ours. */
		if (sigtimedwait(&child, NULL, getenv("ATCP_VIRTUAL_TIME") ? NULL : &patience) >= 0)
			continue;
		if (shared->current != last) {
			last = shared->current;
			continue;
		}
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return cut_short(side, "never comes back from", 1);
	}
	if (WIFSIGNALED(status))
		return cut_short(side, "process killed by signal", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return cut_short(side, "process exited with", WEXITSTATUS(status));
	return sequences_count;
}

static void run_side(int side, const bool *wanted)
{
	size_t next = 0;

	while (next < sequences_count) {
		pid_t pid;

		fflush(stdout);
		shared->current = next;
		pid = fork();
		if (pid == 0)
			work(side, next, wanted);
		next = follow(pid, side);
	}
}

/* Takes the next line apart; false at the end. */
static bool next_step(char **text, char **name, char **outcome)
{
	char *line = strsep(text, "\n");

	if (!line || !*line)
		return false;
	*name = strsep(&line, "\t");
	*outcome = line ?: "";
	return true;
}

/* What a sequence said: a copy, to be taken apart. */
static char *said(int side, size_t n)
{
	size_t from = shared->begin[side][n];

	return strndup(shared->t[side].text + from, shared->end[side][n] - from);
}

struct counts {
	int sequences, steps, equal, known, wrong;
};

static void compare(size_t n, struct known *known, struct counts *c, bool quiet, bool verbose)
{
	char *text[2] = { said(0, n), said(1, n) }, *a = text[0], *b = text[1], *name[2], *outcome[2], full[256];
	int bad = 0, documented = 0;

	c->sequences++;
	if (verbose)
		printf("# %s\n%s", sequences[n].name, a);
	for (;;) {
		bool more[2] = { next_step(&a, &name[0], &outcome[0]), next_step(&b, &name[1], &outcome[1]) };

		if (!more[0] && !more[1]) {
			snprintf(full, sizeof(full), "%s/way", sequences[n].name);
			known_ran(known, full);
			break;
		}
		c->steps++;
		/* One went another way, or ended before the other: nothing after that can be compared. */
		if (more[0] != more[1] || strcmp(name[0], name[1])) {
			char left[128] = "nothing", right[128] = "nothing";

			if (more[0])
				snprintf(left, sizeof(left), "%s: %s", name[0], outcome[0]);
			if (more[1])
				snprintf(right, sizeof(right), "%s: %s", name[1], outcome[1]);
			snprintf(full, sizeof(full), "%s/way", sequences[n].name);
			known_ran(known, full);
			if (known_has(known, full, left, right)) {
				documented++;
			} else {
				printf("not ok %s: kernel={%s} atcp={%s}\n", full, left, right);
				bad++;
			}
			break;
		}
		snprintf(full, sizeof(full), "%s/%s", sequences[n].name, name[0]);
		known_ran(known, full);
		if (strcmp(outcome[0], outcome[1]) == 0)
			continue;
		if (known_has(known, full, outcome[0], outcome[1])) {
			documented++;
			continue;
		}
		printf("not ok %s: kernel={%s} atcp={%s}\n", full, outcome[0], outcome[1]);
		bad++;
	}
	if (bad)
		c->wrong++;
	else if (documented)
		c->known++;
	else
		c->equal++;
	free(text[0]);
	free(text[1]);
	if (!bad && !quiet)
		printf("ok %s%s\n", sequences[n].name, documented ? " # differs as documented" : "");
}

static void interface_up(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, SIOCSIFFLAGS, &r)) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		exit(2);
	}
	close(fd);
}

/* HOST_LINK's address. */
static void link_address(const char *name)
{
	struct in6_ifreq r = { .ifr6_prefixlen = 64, .ifr6_ifindex = if_nametoindex(name) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	union address a;

	address_of(&a, HOST_LINK, 0);
	r.ifr6_addr = a.v6.sin6_addr;
	if (ioctl(fd, SIOCSIFADDR, &r)) {
		fprintf(stderr, "an address of the link on %s: %s\n", name, strerror(errno));
		exit(2);
	}
	close(fd);
}

static const char usage[] =
	"usage: compare [--a PROTOCOL] [--b PROTOCOL] [--family 4|6] [--known FILE] [--kernel 6.X] [--quiet] [--verbose] [--list]\n"
	"               [PATTERN...]\n"
	"Sequences whose name a pattern of glob(7) matches; all without one. Protocols: 0 the kernel's TCP, 253 atcp.\n"
	"The family is ATCP_FAMILY's, or 4.\n";

int main(int argc, char **argv)
{
	static bool wanted[MAX_SEQUENCES];
	int protocols[2] = { 0, 253 }, i, gone;
	const char *file = NULL, *kernel = NULL, *slow = getenv("ATCP_SLOW"), *six = getenv("ATCP_FAMILY");
	bool quiet = false, verbose = false, list = false;
	struct counts c = { 0 };
	struct known *known;
	char release[16] = "";
	struct utsname u;
	sigset_t child;
	cpu_set_t cpu;
	size_t n;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--quiet") == 0)
			quiet = true;
		else if (strcmp(argv[i], "--verbose") == 0)
			verbose = true;
		else if (strcmp(argv[i], "--list") == 0)
			list = true;
		else if (strcmp(argv[i], "--a") == 0 && value)
			protocols[0] = atoi(argv[++i]);
		else if (strcmp(argv[i], "--b") == 0 && value)
			protocols[1] = atoi(argv[++i]);
		else if (strcmp(argv[i], "--family") == 0 && value)
			six = argv[++i];
		else if (strcmp(argv[i], "--known") == 0 && value)
			file = argv[++i];
		else if (strcmp(argv[i], "--kernel") == 0 && value)
			kernel = argv[++i];
		else
			return fputs(usage, stderr), 2;
	}
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	slow_factor = slow ? atoi(slow) : 1;
	family = six && strcmp(six, "6") == 0 ? AF_INET6 : AF_INET;
	add_all();
	for (n = 0; n < sequences_count; n++) {
		int k;

		wanted[n] = i == argc;
		for (k = i; k < argc; k++)
			wanted[n] |= !fnmatch(argv[k], sequences[n].name, 0);
		if (list && wanted[n])
			puts(sequences[n].name);
	}
	if (list)
		return 0;

	if (!kernel && uname(&u) == 0) {
		unsigned major = 0, minor = 0;

		sscanf(u.release, "%u.%u", &major, &minor);
		snprintf(release, sizeof(release), "%u.%u", major, minor);
		kernel = release;
	}
	known = known_read(file, kernel);
	if (unshare(CLONE_NEWNET)) {
		perror("a network namespace of its own");
		return 2;
	}
	interface_up("lo");
	if (family == AF_INET6)
		link_address("lo");
	/* One CPU: see world_settle(). */
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		perror("staying on one CPU");
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	for (i = 0; i < 2; i++) {
		protocol = protocols[i];
		run_side(i, wanted);
	}
	for (n = 0; n < sequences_count; n++)
		if (wanted[n])
			compare(n, known, &c, quiet, verbose);
	for (n = 0; n < sequences_count; n++)
		if (!wanted[n])
			known_left_out(known, sequences[n].name);
	gone = protocols[0] == protocols[1] ? 0 : known_gone(known);
	printf("%d sequences of %d steps: %d equal, %d different as documented, %d wrong; %d rows without a difference\n",
	       c.sequences, c.steps, c.equal, c.known, c.wrong, gone);
	return c.wrong || gone || !c.sequences ? 1 : 0;
}
