// Lists what the installed converter converts.
#include <convert/convert.h>

#include <cstdio>

int main() {
  for (const linnet::convert::Family& family : linnet::convert::families()) std::printf("%s\n", family.name.c_str());
}
