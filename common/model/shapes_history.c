/* SPDX-License-Identifier: GPL-3.0-only */
#define SHAPES_DEF "common/model/history.def"
#include "common/model/shape_tables.h"
