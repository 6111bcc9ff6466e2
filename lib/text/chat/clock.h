// The time of day that strftime_now tells.
#pragma once

#include "linnet/chat.h"
#include "text/chat/sink.h"

namespace linnet::text::chat {

/// Appends `time` in the form of C's strftime, in English. Errors: unsupported, naming the conversion.
Status format_time(const DateTime& time, const String& format, Sink* sink) noexcept;

}  // namespace linnet::text::chat
