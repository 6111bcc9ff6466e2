// Linnet: a plan for people and programs: as text, JSON, or a drawing of when each value lives and where.
#pragma once

#include <cstddef>

#include "linnet/plan.h"

namespace linnet {

/// Takes the pieces of a report one after the other.
using Write = void (*)(void* user, const char* text, size_t size);

LINNET_API void write_text(const Plan& plan, Write write, void* user) noexcept;
LINNET_API void write_json(const Plan& plan, Write write, void* user) noexcept;
LINNET_API void write_svg(const Plan& plan, Write write, void* user) noexcept;

}  // namespace linnet
