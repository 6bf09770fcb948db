/* SPDX-License-Identifier: GPL-3.0-only */
/* The page: which sections, in which order. */
#include <sha256.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/report/plot.h"
#include "common/report/report_flame.h"
#include "common/report/report_page.h"
#include "common/view/view.h"
#include "common/view/view_parts.h"

#define TITLE_COLUMNS   80
#define WHOLE_NAMES_MAX ((size_t)512 << 10) /* bytes of long names that are in tooltips whole */

/* ---- head ---- */

static void base64(struct out *o, const unsigned char *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned int left = n - i > 2 ? 3 : (unsigned int)(n - i);
		unsigned int v = (unsigned int)p[i] << 16;

		v |= left > 1 ? (unsigned int)p[i + 1] << 8 : 0;
		v |= left > 2 ? p[i + 2] : 0;
		for (unsigned int k = 0; k < 4; k++)
			out_char(o, k <= left ? digits[v >> (18 - 6 * k) & 63] : '=');
	}
}

static void hash_source(struct out *o, const char *directive, const char *text)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	SHA256_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)text, strlen(text));
	SHA256Final(digest, &ctx);
	out_printf(o, "; %s 'sha256-", directive);
	base64(o, digest, sizeof(digest));
	out_char(o, '\'');
}

void html_page(struct page *p, const char *name)
{
	struct out *o = p->o;

	out_str(o, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'");
	hash_source(o, "style-src", report_style);
	hash_source(o, "script-src", report_script);
	out_str(o, "; base-uri 'none'; form-action 'none'\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n"
		   "<meta name=\"generator\" content=\"profile-scenario " IOTRACE_VERSION
		   "\">\n<title>");
	html_text(p, name);
	out_printf(o, " - report</title>\n<style>%s</style>\n</head>\n<body>\n", report_style);
}

/* What is the same of all its results. */
static struct result_head head_of(const struct report *r)
{
	return result_head(r->io ? (void *)r->io : r->cpu ? (void *)r->cpu : (void *)r->memory);
}

static void title(struct page *p, const struct report *r)
{
	const char *line = view_joined(&p->arena, head_of(r).command, " ");

	out_str(p->o, "<header>\n<h1>");
	html_name(p, *report_name(r) ? report_name(r) : "Profile", 80);
	out_str(p->o, "</h1>\n<p class=\"command\"><code>");
	html_name(p, *line ? line : "(no command)", 200);
	out_str(p->o, "</code></p>\n");
}

static void contents(struct page *p, const struct report *r)
{
	const struct {
		int there;
		const char *id, *title;
	} sections[] = {
		{1, "answer", "in short"},
		{r->io != NULL, "batches", "batches"},
		{r->io != NULL, "latency", "latency"},
		{r->io != NULL, "time", "over time"},
		{r->io != NULL, "calls", "calls"},
		{r->io != NULL, "fds", "fds"},
		{r->io != NULL, "threads", "threads"},
		{r->io != NULL, "errors", "errors"},
		{r->io != NULL, "findings", "findings"},
		{r->compare != NULL, "comparison", "comparison"},
		{r->cpu != NULL, "cpu", "CPU"},
		{r->memory != NULL, "memory", "heap"},
		{r->io != NULL, "run", "what ran"},
		{r->io != NULL, "cost", "cost of tracing"},
		{1, "environment", "environment"},
	};

	out_str(p->o, "<nav>");
	for (size_t i = 0; i < LEN(sections); i++) {
		if (sections[i].there)
			out_printf(
				p->o, "<a href=\"#%s\">%s</a> ", sections[i].id, sections[i].title);
	}
	out_str(p->o, "</nav>\n</header>\n<main>\n");
}

/* ---- what the summary says already ---- */

/* Blocks of the summary that are wanted in one place. */
struct wanted {
	const char *section; /* its title begins so; NULL: the head, before any section */
	int (*block)(const struct doc_block *b); /* which of it */
};

static int is_cost(const struct doc_block *b)
{
	static const char *const keys[] = {
		"seen", "stopped", "tracing", "signals", "detail", "control", "WARNING"};

	for (size_t i = 0; b->kind == DOC_PAIR && i < LEN(keys); i++)
		if (!strcmp(b->a, keys[i]))
			return 1;
	return 0;
}

static int is_run(const struct doc_block *b)
{
	return b->kind == DOC_PAIR && !is_cost(b);
}

static int is_note(const struct doc_block *b)
{
	return b->kind == DOC_NOTE || b->kind == DOC_TEXT;
}

/* The histograms of the summary are drawn here. */
static int is_batch_table(const struct doc_block *b)
{
	return b->kind == DOC_TABLE && !strncmp(b->table->id, "batching", 8);
}

static int is_any(const struct doc_block *b)
{
	return b->kind != DOC_SECTION;
}

#define TOTALS "strace -c" /* what we call the last table, which has no title */

/* How many there were. */
static size_t from_summary(struct page *p, const struct doc *d, struct wanted w)
{
	struct doc_block *at = arena_alloc(&p->arena, d->blocks.len + 1, sizeof(*at));
	const char *section = NULL;
	size_t n = 0;

	for (size_t i = 0; i < d->blocks.len; i++) {
		const struct doc_block *b = &d->blocks.at[i];

		if (b->kind == DOC_SECTION)
			section = b->a;
		else if (b->kind == DOC_TABLE && b->table->ruled)
			section = TOTALS;
		if (!w.section != !section ||
			(section && strncmp(section, w.section, strlen(w.section)) != 0))
			continue;
		if (w.block(b))
			at[n++] = *b;
	}
	html_blocks(p, at, n);
	return n;
}

/* ---- a traced run ---- */

static void table_section(struct page *p, const char *id, const char *heading,
	void (*fill)(struct doc *, const struct res_result *), const struct res_result *r)
{
	struct doc *d = doc_new();

	html_section(p, id, heading);
	fill(d, r);
	html_doc_end(p, d);
	html_section_end(p);
}

static void batches(struct page *p, const struct res_result *r, const struct doc *summary)
{
	html_section(p, "batches", "Batches: asked against got");
	from_summary(p, summary, (struct wanted){"BATCHING", is_note});
	from_summary(p, summary, (struct wanted){"BATCHING", is_batch_table});
	report_batches(p, r);
	from_summary(p, summary, (struct wanted){"GSO/GRO", is_any});
	html_section_end(p);
}

static void over_time(struct page *p, const struct res_result *r, const struct doc *summary)
{
	html_section(p, "time", "Over time");
	report_time(p, r);
	report_heat(p, r);
	report_latency_map(p, r);
	report_threads_map(p, r);
	from_summary(p, summary, (struct wanted){"PHASES", is_any});
	html_section_end(p);
}

static void stacks(struct page *p, const struct report_stacks *s, const char *noun)
{
	struct flame f = {.unit = CELL_COUNT, .noun = noun};
	size_t len = s->len;

	if (!s->text) {
		html_legend(p, "The stacks are not there: %s.", s->unread);
		return;
	}
	if (s->kind && !strcmp(s->kind, "time"))
		f.unit = CELL_NS;
	else if (s->kind && !strcmp(s->kind, "bytes"))
		f.unit = CELL_BYTES;
	char *text = mem_calloc(len + 1, 1);

	memcpy(text, s->text, len); /* with what zeros there are */

	flame_of_folded(&f, text, len);
	report_flame_svg(p, &f, "Flame graph");
	flame_release(&f);
	free(text);
}

/* What the figures on stacks are. */
static void how_taken(struct page *p, const struct res_stacks *s)
{
	if (!s || s->first == U64_NONE)
		return; /* of an older iotrace */
	if (s->every == 1) {
		html_legend(p, "The stack of every call was taken: all figures are exact.");
		return;
	}
	if (s->every_ns == U64_NONE) { /* calls have no times, or of an older iotrace */
		html_legend(p,
			"%s, of 1 in %llu calls and of the first %llu calls of each site (a call "
			"instruction). The calls and bytes of a site are exact, and shared out "
			"among its stacks.",
			report_plural(&p->arena, view_zero(s->taken), "stack"),
			(unsigned long long)s->every, (unsigned long long)s->first);
		return;
	}
	html_legend(p,
		"%s, of 1 in %llu calls, of one for each %llu ms of a thread in calls, and of the "
		"first %llu calls of each site (a call instruction). The calls, time and bytes of "
		"a site are exact, and shared out among its stacks.",
		report_plural(&p->arena, view_zero(s->taken), "stack"),
		(unsigned long long)s->every, (unsigned long long)(s->every_ns / NS_PER_MS),
		(unsigned long long)s->first);
}

static void io_flames(struct page *p, const struct report *r)
{
	struct flame f = {0};

	flame_of_threads(&f, r->io, &p->arena);
	if (result_has_times(r->io)) {
		out_str(p->o, "<h3>Time in calls, by process and thread</h3>\n");
		html_legend(p, "Time from entry to return, waiting included; threads side by side "
			       "count each.");
		report_flame_svg(p, &f, "Time in system calls by process, thread and call");
	} else {
		out_str(p->o, "<h3>Calls, by process and thread</h3>\n");
		report_flame_svg(p, &f, "System calls by process, thread and call");
	}
	flame_release(&f);
	for (size_t i = 0; i < r->io_stacks.len; i++) {
		out_str(p->o, "<h3>Code paths: ");
		html_name(p, basename(r->io_stacks.at[i].path), 80);
		out_str(p->o, "</h3>\n");
		if (i == 0)
			how_taken(p, r->io->stacks);
		stacks(p, &r->io_stacks.at[i], "call");
	}
}

static void calls(struct page *p, const struct report *r, const struct doc *summary)
{
	struct doc *d = doc_new();

	html_section(p, "calls", "Calls");
	report_syscalls_table(d, r->io);
	html_doc(p, d);
	from_summary(p, summary, (struct wanted){TOTALS, is_note});
	io_flames(p, r);
	out_str(p->o, "<h3>Mappings</h3>\n");
	if (!from_summary(p, summary, (struct wanted){"MAPPINGS", is_any}))
		html_legend(p, "Not known: not all of mmap, munmap, mremap and brk were traced.");
	out_str(p->o, "<h3>What system calls do not show</h3>\n");
	from_summary(p, summary, (struct wanted){"BLIND SPOTS", is_any});
	html_section_end(p);
	doc_free(d);
}

static void answer(struct page *p, const struct report *r, const struct doc *summary)
{
	struct doc *d = doc_new();

	html_section(p, "answer", "In short");
	report_answer(d, r, summary);
	html_doc_end(p, d);
	html_section_end(p);
}

static void findings(struct page *p, const struct report *r)
{
	struct analyze_scenario scenario = report_scenario(r);
	struct ease_table ease = r->ease ? *r->ease : ease_defaults();
	struct doc *d = doc_new();

	html_section(p, "findings", "Findings");
	analyze_findings(d, &scenario, &ease);
	html_doc_end(p, d);
	html_section_end(p);
}

static void io(struct page *p, const struct report *r, const struct doc *summary)
{
	batches(p, r->io, summary);
	html_section(p, "latency", "Latency");
	report_latencies(p, r->io);
	if (result_has_times(r->io))
		html_legend(p, "Microseconds, from entry to return:");
	from_summary(p, summary, (struct wanted){"LATENCY", is_any});
	html_section_end(p);
	over_time(p, r->io, summary);
	calls(p, r, summary);
	table_section(p, "fds", "By fd", report_fds_table, r->io);
	table_section(p, "threads", "By thread", report_threads_table, r->io);
	table_section(p, "errors", "Errors", report_errors_table, r->io);
	findings(p, r);
}

static void comparison(struct page *p, const struct report *r)
{
	struct doc *d = view_compare(r->compare, 0);

	html_section(p, "comparison", "Comparison");
	html_legend(p, "The base: %s. The new side: %s.", view_name(r->compare->base),
		view_name(r->compare->new));
	html_doc_end(p, d);
	html_section_end(p);
}

/* Where the figures are from. */
static void run(struct page *p, const struct doc *summary)
{
	html_section(p, "run", "What ran");
	from_summary(p, summary, (struct wanted){NULL, is_run});
	html_section_end(p);
	html_section(p, "cost", "What tracing cost, and warnings");
	if (!from_summary(p, summary, (struct wanted){NULL, is_cost}))
		html_legend(p, "The result does not say.");
	html_section_end(p);
}

/* ---- profiles ---- */

static void cpu(struct page *p, const struct report *r)
{
	struct doc *words = doc_new(), *tables = doc_new();

	html_section(p, "cpu", "CPU");
	report_cpu_head(words, r->cpu);
	html_doc(p, words);
	out_str(p->o, "<h3>Flame graph</h3>\n");
	if (r->cpu_stacks.path)
		stacks(p, &r->cpu_stacks, "sample");
	else
		html_legend(p, "The stacks are in NAME.folded beside NAME-cpu.json, and this file "
			       "is not called so.");
	report_cpu_tables(tables, r->cpu);
	html_doc(p, tables);
	html_section_end(p);
	doc_free(words);
	doc_free(tables);
}

static void memory(struct page *p, const struct res_memory *m)
{
	struct doc *words = doc_new(), *tables = doc_new();
	struct flame f = {0};

	html_section(p, "memory", "Heap");
	report_memory_head(words, m);
	html_doc(p, words);
	out_str(p->o, "<h3>Heap over time</h3>\n");
	out_str(p->o, "<div class=\"scroll\" tabindex=\"0\">");
	plot_write(m, 0, p->o);
	out_str(p->o, "</div>\n");
	if (view_zero(m->snapshots_left_out))
		html_legend(p, "%s not in the result; the peak is never left out.",
			report_plural(&p->arena, m->snapshots_left_out, "snapshot"));
	out_printf(
		p->o, "<h3>Who held the memory: the tree of %s</h3>\n", view_tree_moment(words, m));
	if (m->peak_tree) {
		html_legend(p, "Below each function those who called it, as massif has it.");
		flame_of_peak(&f, m->peak_tree);
		report_flame_svg(p, &f, "Flame graph of the heap");
		flame_release(&f);
	} else {
		html_legend(p, "There is no tree of the peak.");
	}
	report_memory_tables(tables, m);
	html_doc(p, tables);
	html_section_end(p);
	doc_free(words);
	doc_free(tables);
}

static void environment(struct page *p, const struct report *r)
{
	const char *const paths[] = {r->io_path, r->cpu_path, r->memory_path, r->compare_path};
	struct doc *d = doc_new();

	html_section(p, "environment", "Environment");
	report_environment(d, head_of(r).environment);
	for (size_t i = 0; i < LEN(paths); i++)
		if (paths[i])
			doc_pair(d, "from", "%s", paths[i]);
	html_doc_end(p, d);
	html_section_end(p);
}

void html_page_end(struct page *p)
{
	out_printf(p->o,
		"</main>\n<footer>Made by profile-scenario " IOTRACE_VERSION
		". Figures that were not measured are shown as -.</footer>\n"
		"<script>%s</script>\n</body>\n</html>\n",
		report_script);
}

void report_html(const struct report *r, struct out *o)
{
	struct page p = {.o = o, .whole_left = WHOLE_NAMES_MAX};

	struct doc *summary = r->io ? view_summary(r->io) : NULL;

	html_page(&p, *report_name(r) ? report_name(r) : "profile");
	title(&p, r);
	contents(&p, r);
	answer(&p, r, summary);
	if (r->io)
		io(&p, r, summary);
	if (r->cpu)
		cpu(&p, r);
	if (r->memory)
		memory(&p, r->memory);
	if (r->compare)
		comparison(&p, r);
	if (r->io)
		run(&p, summary);
	environment(&p, r);
	html_page_end(&p);
	doc_free(summary);
	arena_release(&p.arena);
}

void report_doc_html(const char *title, const struct doc *d, struct out *o)
{
	struct page p = {.o = o, .whole_left = WHOLE_NAMES_MAX};
	int open = 0;

	html_page(&p, title);
	out_str(o, "<header><h1>");
	html_name(&p, title, TITLE_COLUMNS);
	out_str(o, "</h1></header>\n<main>\n");
	for (size_t i = 0; i < d->blocks.len; i++) {
		const struct doc_block *b = &d->blocks.at[i];

		if (b->kind == DOC_HEAD) {
			out_str(o, open++ ? "</section>\n<section><h2>" : "<section><h2>");
			html_name(&p, b->a, TITLE_COLUMNS);
			out_str(o, "</h2>\n<p>");
			html_text(&p, b->b);
			out_str(o, "</p>\n");
		} else {
			size_t n = 1;

			while (i + n < d->blocks.len && d->blocks.at[i + n].kind != DOC_HEAD)
				n++;
			html_blocks(&p, b, n);
			i += n - 1;
		}
	}
	if (open)
		out_str(o, "</section>\n");
	html_page_end(&p);
	arena_release(&p.arena);
}
