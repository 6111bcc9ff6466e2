// Pages of state: sequences are lists of page numbers, pages are counted, and a page is copied only when it is about to be written
// while somebody else still reads it.
#include <cstring>
#include <utility>

#include "core/checked.h"
#include "runtime/session_impl.h"

namespace linnet::runtime {
namespace {

using plan_detail::Retention;

uint32_t take_page(Session::Impl* session, size_t retention) {
  Pool& pool = session->pools[retention];
  if (pool.free_count == 0) return kNoPage;
  uint32_t page = pool.free[--pool.free_count];
  pool.references[page] = 1;
  // A page's unwritten rows are read by nobody but may be saved to a file: nothing old may leak.
  std::memset(page_address(*session, retention, page), 0, static_cast<size_t>(session->planned().retentions[retention].page_bytes));
  return page;
}

void drop_page(Pool* pool, uint32_t page) {
  if (--pool->references[page] == 0) pool->free[pool->free_count++] = page;
}

void drop_pages(Pool* pool, PageList* list) {
  while (list->count > 0) drop_page(pool, list->pages[--list->count]);
}

// Makes page `i` of the list the sequence's own.
bool own_page(Session::Impl* session, size_t retention, PageList* list, uint32_t i) {
  Pool& pool = session->pools[retention];
  uint32_t shared = list->pages[i];
  if (pool.references[shared] == 1) return true;
  uint32_t own = take_page(session, retention);
  if (own == kNoPage) return false;
  std::memcpy(page_address(*session, retention, own), page_address(*session, retention, shared),
              static_cast<size_t>(session->planned().retentions[retention].page_bytes));
  drop_page(&pool, shared);
  list->pages[i] = own;
  return true;
}

}  // namespace

uint8_t* page_address(const Session::Impl& session, size_t retention, uint32_t page) noexcept {
  return session.pools[retention].memory + uint64_t{page} * session.planned().retentions[retention].page_bytes;
}

bool reserve_positions(Session::Impl* session, SequenceId sequence, uint32_t count) noexcept {
  uint32_t length = session->sequences[sequence].length;
  uint32_t first = length / ops::kPagePositions;
  uint32_t end = static_cast<uint32_t>(core::ceil_divide(uint64_t{length} + count, ops::kPagePositions));
  for (size_t r = 0; r < session->pools.size(); ++r) {
    if (session->planned().retentions[r].source) continue;
    PageList& list = session->pools[r].lists[sequence];
    for (uint32_t page = first; page < end; ++page) {
      uint32_t i = page - list.first_page;
      if (i < list.count) {
        if (!own_page(session, r, &list, i)) return false;
        continue;
      }
      uint32_t made = take_page(session, r);
      if (made == kNoPage) return false;
      list.pages[list.count++] = made;
    }
  }
  return true;
}

bool stage_source(Session::Impl* session, SequenceId sequence, uint32_t positions) noexcept {
  const uint32_t pages = static_cast<uint32_t>(core::ceil_divide(positions, ops::kPagePositions));
  for (size_t r = 0; r < session->pools.size(); ++r) {
    if (!session->planned().retentions[r].source) continue;
    PageList& list = session->pools[r].staged[sequence];
    while (list.count < pages) {
      const uint32_t made = take_page(session, r);
      if (made == kNoPage) return false;
      list.pages[list.count++] = made;
    }
  }
  return true;
}

void replace_source(Session::Impl* session, SequenceId sequence, uint32_t positions) noexcept {
  for (size_t r = 0; r < session->pools.size(); ++r)
    if (session->planned().retentions[r].source) std::swap(session->pools[r].lists[sequence], session->pools[r].staged[sequence]);
  session->sequences[sequence].source = positions;
  drop_staged(session, sequence);
}

void drop_staged(Session::Impl* session, SequenceId sequence) noexcept {
  for (size_t r = 0; r < session->pools.size(); ++r)
    if (session->planned().retentions[r].source) drop_pages(&session->pools[r], &session->pools[r].staged[sequence]);
}

void drop_source(Session::Impl* session, SequenceId sequence) noexcept {
  for (size_t r = 0; r < session->pools.size(); ++r)
    if (session->planned().retentions[r].source) drop_pages(&session->pools[r], &session->pools[r].lists[sequence]);
  session->sequences[sequence].source = 0;
}

bool reserve_stretches(Session::Impl* session, SequenceId sequence, uint32_t length) noexcept {
  uint32_t end = static_cast<uint32_t>(core::ceil_divide(length, ops::kPagePositions));
  for (size_t r = 0; r < session->pools.size(); ++r) {
    PageList& list = session->pools[r].lists[sequence];
    while (!session->planned().retentions[r].source && list.first_page + list.count < end) {
      uint32_t made = take_page(session, r);
      if (made == kNoPage) return false;
      list.pages[list.count++] = made;
    }
  }
  return true;
}

void trim_after(Session::Impl* session, SequenceId sequence, uint32_t length) noexcept {
  uint32_t end = static_cast<uint32_t>(core::ceil_divide(length, ops::kPagePositions));
  for (size_t r = 0; r < session->pools.size(); ++r) {
    if (session->planned().retentions[r].source) continue;
    Pool& pool = session->pools[r];
    PageList& list = pool.lists[sequence];
    while (list.count > 0 && list.first_page + list.count > end) drop_page(&pool, list.pages[--list.count]);
    if (list.count == 0 && length == 0) list.first_page = 0;
  }
}

void trim_before(Session::Impl* session, SequenceId sequence) noexcept {
  uint32_t length = session->sequences[sequence].length;
  for (size_t r = 0; r < session->pools.size(); ++r) {
    const Retention& retention = session->planned().retentions[r];
    if (!retention.window) continue;
    // The next query stands at `length`, or after a rewind up to limits.rewind before it, and sees window - 1 positions before itself.
    uint64_t reach = uint64_t{retention.window} + session->planned().limits.rewind;
    uint32_t keep_from = length + uint64_t{1} > reach ? static_cast<uint32_t>(length + uint64_t{1} - reach) : 0;
    Pool& pool = session->pools[r];
    PageList& list = pool.lists[sequence];
    uint32_t gone = keep_from / ops::kPagePositions > list.first_page ? keep_from / ops::kPagePositions - list.first_page : 0;
    if (gone > list.count) gone = list.count;
    if (gone == 0) continue;
    for (uint32_t i = 0; i < gone; ++i) drop_page(&pool, list.pages[i]);
    std::memmove(list.pages, list.pages + gone, (list.count - gone) * sizeof(uint32_t));
    list.count -= gone;
    list.first_page += gone;
  }
}

void share_pages(Session::Impl* session, SequenceId from, SequenceId to) noexcept {
  for (Pool& pool : session->pools) {
    const PageList& source = pool.lists[from];
    PageList& list = pool.lists[to];
    std::memcpy(list.pages, source.pages, source.count * sizeof(uint32_t));
    list.count = source.count;
    list.first_page = source.first_page;
    for (uint32_t i = 0; i < list.count; ++i) ++pool.references[list.pages[i]];
  }
}

bool can_rewind_to(const Session::Impl& session, SequenceId sequence, uint32_t length) noexcept {
  if (length == 0) return true;  // nothing is visible then
  for (size_t r = 0; r < session.pools.size(); ++r) {
    const Retention& retention = session.planned().retentions[r];
    const PageList& list = session.pools[r].lists[sequence];
    if (!retention.window || list.first_page == 0) continue;
    uint32_t oldest = length + 1 > retention.window ? length + 1 - retention.window : 0;
    if (oldest < list.first_page * ops::kPagePositions) return false;
  }
  return true;
}

}  // namespace linnet::runtime
