# What `cmake --install` puts where, so that find_package(linnet CONFIG) works in other projects.

include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/linnet)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/lib/include/linnet TYPE INCLUDE)
install(TARGETS linnet EXPORT linnet-targets)
install(EXPORT linnet-targets NAMESPACE linnet:: DESTINATION ${package_folder})

if(LINNET_CONVERT)
  install(TARGETS linnet_tool)
  if(NOT BUILD_SHARED_LIBS)   # the converter uses rooms of the library that a shared one hides
    install(FILES ${PROJECT_SOURCE_DIR}/lib/convert/convert.h ${PROJECT_SOURCE_DIR}/lib/convert/error.h
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/linnet-convert/convert)
    install(TARGETS linnet_convert EXPORT linnet-convert-targets)
    install(EXPORT linnet-convert-targets NAMESPACE linnet:: DESTINATION ${package_folder})
  endif()
endif()

# The options as the package states them: 0 or 1.
foreach(option BUILD_SHARED_LIBS LINNET_CPUINFO LINNET_XNNPACK)
  if(${option})
    set(${option} 1)
  else()
    set(${option} 0)
  endif()
endforeach()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/linnet-config.cmake.in ${PROJECT_BINARY_DIR}/linnet-config.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/linnet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/linnet-config.cmake ${PROJECT_BINARY_DIR}/linnet-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindXNNPACK.cmake ${CMAKE_CURRENT_LIST_DIR}/Findutf8proc.cmake DESTINATION ${package_folder})
