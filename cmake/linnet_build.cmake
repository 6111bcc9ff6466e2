# Settings that every target of this project shares, and the functions that make targets from folders.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(linnet_settings INTERFACE)
target_compile_options(linnet_settings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
  -ffp-contract=off        # products and sums round one by one: results are bit-equal across kernels
  -fno-math-errno -fvisibility=hidden -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(linnet_settings INTERFACE -Wno-restrict)   # gcc bug 105329: string + "literal" is taken for an overlap
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 14 takes a std::vector that grows for an overflow, and a reference into one argument for one into another that is gone.
  target_compile_options(linnet_settings INTERFACE -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-reference)
endif()
if(LINNET_WERROR)
  target_compile_options(linnet_settings INTERFACE -Werror)
endif()
if(LINNET_SANITIZE)
  target_compile_options(linnet_settings INTERFACE -fsanitize=${LINNET_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(linnet_settings INTERFACE -fsanitize=${LINNET_SANITIZE})
endif()

# All .cpp files of a folder (not below it) relative to the caller.
function(linnet_sources variable)
  set(found)
  foreach(folder ${ARGN})
    file(GLOB files CONFIGURE_DEPENDS ${folder}/*.cpp)
    list(APPEND found ${files})
  endforeach()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()
