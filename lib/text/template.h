// The post-processor: where the special tokens go around one text or a pair, and what is cut off when that is too long.
#pragma once

#include <span>

#include "linnet/tokenizer.h"
#include "linnet_generated.h"

namespace linnet::text {

using TemplateItems = flatbuffers::Vector<const schema::TemplateItem*>;

/// Cuts `first` and `second` (null: there is none) so that they and `special` tokens make at most `most`; of a pair the longer gives first.
void truncate(size_t most, size_t special, size_t* first, size_t* second) noexcept;
size_t count_special(const TemplateItems* items) noexcept;
/// Appends the items' ids, and their type ids where `type_ids` is not null. No items: the texts one after the other.
Status apply_template(const TemplateItems* items, bool add_special, std::span<const int32_t> first, std::span<const int32_t> second,
                      Ids* ids, Ids* type_ids) noexcept;

}  // namespace linnet::text
