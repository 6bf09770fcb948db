/* SPDX-License-Identifier: GPL-3.0-only */
#include "mem/wrapper.h"

#include <string.h>

static int begins(struct massif_text t, const char *with)
{
	size_t len = strlen(with);

	return t.len >= len && memcmp(t.at, with, len) == 0;
}

static int ends(struct massif_text t, const char *with)
{
	size_t len = strlen(with);

	return t.len >= len && memcmp(t.at + t.len - len, with, len) == 0;
}

static int holds(struct massif_text t, const char *what)
{
	return t.len > 0 && memmem(t.at, t.len, what, strlen(what)) != NULL;
}

static int begins_one_of(struct massif_text t, const char *const *list)
{
	for (; *list; list++)
		if (begins(t, *list))
			return 1;
	return 0;
}

/* "void std::vector<int, ..>::push(int)" from "std::" on: the demangler puts the result's type
 * before names of templates. */
static struct massif_text qualified(struct massif_text t)
{
	size_t begin = 0, depth = 0;

	for (size_t i = 0; i < t.len; i++) {
		if (t.at[i] == '<')
			depth++;
		else if (t.at[i] == '>' && depth > 0)
			depth--;
		else if (t.at[i] == '(' && depth == 0 && i > begin)
			break;
		else if (t.at[i] == ' ' && depth == 0)
			begin = i + 1;
	}
	return (struct massif_text){t.at + begin, t.len - begin};
}

/* The trait is the library's, and so is what implements it for all types. */
static int is_rust_trait(struct massif_text t)
{
	return begins(t, "<") &&
	       (holds(t, " as alloc::vec::spec_") ||
		       holds(t, " as alloc::slice::<impl [T]>::to_vec_in") ||
		       holds(t, "::to_vec_in::ConvertVec>") || holds(t, " as alloc::slice::Join<"));
}

static int is_library_name(struct massif_text t)
{
	static const char *const prefixes[] = {"std::", "__gnu_cxx::", "alloc::", "<alloc::",
		"core::", "<core::", "hashbrown::", "<hashbrown::", "<std::", "__rust_",
		"__rustc::__rust_", "__rdl_", "__rg_", NULL};

	return begins_one_of(qualified(t), prefixes) || begins(t, "operator new") ||
	       is_rust_trait(t);
}

/* Of an inlined function there is no more than "push_back" or "grow", but rustc keeps the library's
 * folder, and the headers of libstdc++ have names that tell. */
static int is_library_file(struct massif_text place)
{
	static const char *const folders[] = {
		"library/alloc/src/", "library/core/src/", "library/std/src/", "/hashbrown-"};
	static const char *const headers[] = {"alloc_traits.h:", "new_allocator.h:", "allocator.h:",
		"allocated_ptr.h:", "stl_", "basic_string.",
		"vector.tcc:", "deque.tcc:", "list.tcc:", "hashtable.h:", "hashtable_policy.h:",
		"shared_ptr.h:", "shared_ptr_base.h:", "unique_ptr.h:", NULL};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (holds(place, folders[i]))
			return 1;
	return begins_one_of(place, headers);
}

/* The library that comes built tells no folders. A program's own files have theirs, "src/mod.rs".
 */
static int is_rust_inlined(struct massif_text function, struct massif_text place)
{
	static const char *const files[] = {"alloc.rs:", "boxed.rs:", "raw_vec.rs:", "string.rs:",
		"mod.rs:", "slice.rs:", "fmt.rs:", "spec_from_iter",
		"spec_from_elem.rs:", "spec_extend.rs:", NULL};

	return begins_one_of(place, files) || ends(function, "<alloc::alloc::Global>") ||
	       ends(function, ", alloc::alloc::Global>");
}

int wrapper_is(struct massif_text function, struct massif_text place)
{
	return function.len > 0 && (is_library_name(function) || is_library_file(place) ||
					   is_rust_inlined(function, place));
}
