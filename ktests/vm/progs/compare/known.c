// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of docs/sockets.md that a program can check: those of tables whose first head is "Step". A step's name, the
 * kernel's outcome and ours are patterns of glob(7) in backquotes; the fourth column says on which kernels ("6.1", "6.12", "all"), and
 * behind that "IPv4" or "IPv6" if it is so in that family only.
 */
#include "compare.h"

#include <fnmatch.h>

enum { MAX_ROWS = 1000 };

struct row {
	char *name, *kernels_outcome, *our_outcome;
	int line;
	bool ran, seen, left_out;
};

struct known {
	const char *file;
	struct row rows[MAX_ROWS];
	size_t count;
};

static char *trimmed(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && strchr(" \t\n", end[-1]))
		*--end = 0;
	/* Names and outcomes are code. */
	if (*s == '`' && end > s + 1 && end[-1] == '`') {
		end[-1] = 0;
		s++;
	}
	return s;
}

static void broken(const char *file, int line, const char *why)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, why);
	exit(2);
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *p = list;

	while ((p = strstr(p, word))) {
		if ((p == list || p[-1] == ' ') && (p[n] == 0 || p[n] == ' '))
			return true;
		p += n;
	}
	return false;
}

/* Does a list such as "6.1 6.12" or "all IPv6" have this kernel and this run's family? */
static bool is_here(const char *list, const char *kernel)
{
	if (has_word(list, family == AF_INET6 ? "IPv4" : "IPv6"))
		return false;
	return !*kernel || has_word(list, "all") || has_word(list, kernel);
}

struct known *known_read(const char *file, const char *kernel)
{
	struct known *k = calloc(1, sizeof(*k));
	char line[2048], *cells[6];
	bool ours = false;
	int number = 0;
	FILE *f;

	k->file = file;
	if (!file)
		return k;
	f = fopen(file, "r");
	if (!f)
		broken(file, 0, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char *at = strdup(line);
		int count = 0;
		char *cell;

		number++;
		if (*at != '|') {
			ours = false;
			free(at);
			continue;
		}
		at++;
		while (count < 6 && (cell = strsep(&at, "|")) && (at || *trimmed(cell)))
			cells[count++] = trimmed(cell);
		if (count && strcmp(cells[0], "Step") == 0) {
			ours = true;
			continue;
		}
		if (!ours || !count || cells[0][0] == '-')
			continue;
		if (count != 5 || !*cells[4])
			broken(file, number, "a row has five cells: step, kernel's outcome, ours, where, why");
		if (!is_here(cells[3], kernel))
			continue;
		if (k->count == MAX_ROWS)
			broken(file, number, "too many rows");
		k->rows[k->count++] = (struct row){ cells[0], cells[1], cells[2], number, false, false, false };
	}
	fclose(f);
	if (!k->count)
		broken(file, number, "no rows");
	return k;
}

static struct row *rows_of(struct known *k, const char *name, size_t from)
{
	size_t i;

	for (i = from; i < k->count; i++)
		if (fnmatch(k->rows[i].name, name, 0) == 0)
			return &k->rows[i];
	return NULL;
}

bool known_has(struct known *k, const char *name, const char *kernels_outcome, const char *our_outcome)
{
	struct row *r;
	bool has = false;

	/* All that tell it: a row that a wider one includes is not gone. */
	for (r = rows_of(k, name, 0); r; r = rows_of(k, name, r - k->rows + 1)) {
		if (fnmatch(r->kernels_outcome, kernels_outcome, 0) || fnmatch(r->our_outcome, our_outcome, 0))
			continue;
		r->seen = has = true;
	}
	return has;
}

void known_ran(struct known *k, const char *name)
{
	struct row *r;

	for (r = rows_of(k, name, 0); r; r = rows_of(k, name, r - k->rows + 1))
		r->ran = true;
}

void known_left_out(struct known *k, const char *sequence)
{
	size_t i;

	for (i = 0; i < k->count; i++) {
		char *slash = strrchr(k->rows[i].name, '/');

		/* The pattern without the step's. */
		if (!slash)
			continue;
		*slash = 0;
		k->rows[i].left_out |= fnmatch(k->rows[i].name, sequence, 0) == 0;
		*slash = '/';
	}
}

int known_gone(const struct known *k)
{
	size_t i;
	int gone = 0;

	for (i = 0; i < k->count; i++) {
		const struct row *r = &k->rows[i];

		if (r->seen || !r->ran || r->left_out)
			continue;
		printf("not ok %s:%d: %s: no longer kernel={%s} atcp={%s}\n", k->file, r->line, r->name, r->kernels_outcome,
		       r->our_outcome);
		gone++;
	}
	return gone;
}
