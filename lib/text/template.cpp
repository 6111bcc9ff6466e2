#include "text/template.h"

#include <algorithm>

#include "core/try.h"

namespace linnet::text {
namespace {

Status append_types(size_t count, int32_t type, Ids* type_ids) {
  for (size_t i = 0; type_ids && i < count; ++i) LINNET_TRY(type_ids->append(&type, 1));
  return {};
}

Status append_sequence(std::span<const int32_t> sequence, int32_t type, Ids* ids, Ids* type_ids) {
  LINNET_TRY(ids->append(sequence.data(), sequence.size()));
  return append_types(sequence.size(), type, type_ids);
}

}  // namespace

void truncate(size_t most, size_t special, size_t* first, size_t* second) noexcept {
  const size_t room = most > special ? most - special : 0;
  if (!second) {
    *first = std::min(*first, room);
    return;
  }
  if (*first + *second <= room) return;
  const bool swapped = *first > *second;
  size_t shorter = std::min(*first, *second);
  size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  *first = swapped ? longer : shorter;
  *second = swapped ? shorter : longer;
}

size_t count_special(const TemplateItems* items) noexcept {
  size_t count = 0;
  for (uint32_t i = 0; items && i < items->size(); ++i) count += items->Get(i)->sequence() < 0 && items->Get(i)->id() >= 0 ? 1 : 0;
  return count;
}

Status apply_template(const TemplateItems* items, bool add_special, std::span<const int32_t> first, std::span<const int32_t> second,
                      Ids* ids, Ids* type_ids) noexcept {
  if (!items || items->size() == 0) {
    LINNET_TRY(append_sequence(first, 0, ids, type_ids));
    return append_sequence(second, 1, ids, type_ids);
  }
  for (const schema::TemplateItem* item : *items) {
    const int32_t type = item->type_id(), id = item->id();
    if (item->sequence() >= 0)
      LINNET_TRY(append_sequence(item->sequence() == 0 ? first : second, type, ids, type_ids));
    else if (add_special && id >= 0)
      LINNET_TRY(append_sequence({&id, 1}, type, ids, type_ids));
  }
  return {};
}

}  // namespace linnet::text
