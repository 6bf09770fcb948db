/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

int text_is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

size_t text_utf8_len(const char *at)
{
	const unsigned char *s = (const unsigned char *)at;
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;

	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	}
	return len;
}

char *text_one_line(char *s)
{
	for (char *p = s; p && *p; p++)
		if (text_is_control(*p))
			*p = ' ';
	return s;
}

char *text_chomp(char *s)
{
	size_t len = strlen(s);

	while (len && s[len - 1] == '\n')
		s[--len] = '\0';
	return s;
}

size_t text_stem_len(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len > n && !strcmp(s + len - n, end) ? len - n : 0;
}

void text_append(char **text, const char *separator, const char *more)
{
	char *longer = mem_printf("%s%s%s", *text, **text ? separator : "", more);

	free(*text);
	*text = longer;
}

size_t text_list_len(const char *const *list)
{
	size_t len = 0;

	while (list && list[len])
		len++;
	return len;
}

void text_put_word(struct out *o, const char *word)
{
	/* Not ^, which some shells take for more than itself. */
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_./:=,+@%";

	if (*word && !word[strspn(word, plain)]) {
		out_str(o, word);
		return;
	}
	out_char(o, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			out_str(o, "'\\''");
		else
			out_char(o, *word);
	}
	out_char(o, '\'');
}

char *text_command(const char *const *argv)
{
	struct out o;

	out_init_mem(&o);
	for (const char *const *word = argv; *word; word++) {
		if (word != argv)
			out_char(&o, ' ');
		text_put_word(&o, *word);
	}
	char *text = mem_strdup(out_text(&o));
	out_release(&o);
	return text;
}
