# What `cmake --install` lays down beside the command. The build directory has the same form, so
# that the command that lies there finds package and templates as an installed one does:
#   include/spillway/mapreduce/     the public headers, target spillway::mapreduce
#   lib/cmake/spillway/             find_package(spillway), spillway_add_plugin()
#   share/pkgconfig/                the same for other build systems
#   share/spillway/templates/       what `spillway new` copies
#   share/spillway/exports/         what `spillway export` copies
#   lib/spillway/hadoop             the stand-in for Hadoop's command, not on PATH
#   lib/spillway/plugins/           the built-in jobs; the command finds them from its own place
#   lib/systemd/system/             units of the coordinator and of a worker
#   share/doc/spillway/             the pages for users, as Markdown
include(CMakePackageConfigHelpers)

set(SPILLWAY_IN_TREE ON)
set(SPILLWAY_PLUGIN_DIR lib/spillway/plugins)
set(SPILLWAY_PACKAGE_DIR lib/cmake/spillway)
include(scripts/cmake/spillway_add_plugin.cmake)
add_custom_target(plugins)

# Plugins see headers only: what the host links must not get into them.
add_library(spillway_plugin_api INTERFACE)
add_library(spillway::mapreduce ALIAS spillway_plugin_api)
target_compile_features(spillway_plugin_api INTERFACE cxx_std_20)
target_include_directories(spillway_plugin_api INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include/spillway>)
set_target_properties(spillway_plugin_api PROPERTIES EXPORT_NAME mapreduce)

install(DIRECTORY mapreduce DESTINATION include/spillway COMPONENT dev
  FILES_MATCHING PATTERN "*.h")
install(TARGETS spillway_plugin_api EXPORT spillwayTargets)
install(EXPORT spillwayTargets NAMESPACE spillway:: DESTINATION ${SPILLWAY_PACKAGE_DIR}
  COMPONENT dev)
set(package ${PROJECT_BINARY_DIR}/${SPILLWAY_PACKAGE_DIR})
export(EXPORT spillwayTargets NAMESPACE spillway:: FILE ${package}/spillwayTargets.cmake)
configure_package_config_file(scripts/cmake/spillwayConfig.cmake.in
  ${package}/spillwayConfig.cmake INSTALL_DESTINATION ${SPILLWAY_PACKAGE_DIR})
write_basic_package_version_file(${package}/spillwayConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
configure_file(scripts/cmake/spillway_add_plugin.cmake ${package}/spillway_add_plugin.cmake
  COPYONLY)
install(FILES
  ${package}/spillwayConfig.cmake ${package}/spillwayConfigVersion.cmake
  ${package}/spillway_add_plugin.cmake
  DESTINATION ${SPILLWAY_PACKAGE_DIR} COMPONENT dev)

configure_file(scripts/cmake/spillway.pc.in
  ${PROJECT_BINARY_DIR}/share/pkgconfig/spillway.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/share/pkgconfig/spillway.pc DESTINATION share/pkgconfig
  COMPONENT dev)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/spillway)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/mapreduce
     ${PROJECT_BINARY_DIR}/include/spillway/mapreduce SYMBOLIC)

install(DIRECTORY examples/templates DESTINATION share/spillway COMPONENT dev)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/spillway)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/examples/templates
     ${PROJECT_BINARY_DIR}/share/spillway/templates SYMBOLIC)
install(DIRECTORY runtime/cli/exports DESTINATION share/spillway COMPONENT runtime
  USE_SOURCE_PERMISSIONS)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/runtime/cli/exports
     ${PROJECT_BINARY_DIR}/share/spillway/exports SYMBOLIC)

# The units name the command by its place, which is known when it is installed.
set(SPILLWAY_UNITS spillway-coordinator.service spillway-worker.service)
list(JOIN SPILLWAY_UNITS " " units_in_words)
install(CODE "
  set(SPILLWAY_BIN_DIR \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR})
  foreach(unit IN ITEMS ${units_in_words})
    configure_file(${PROJECT_SOURCE_DIR}/scripts/systemd/\${unit}
                   ${PROJECT_BINARY_DIR}/systemd/\${unit} @ONLY)
  endforeach()" COMPONENT runtime)
list(TRANSFORM SPILLWAY_UNITS PREPEND ${PROJECT_BINARY_DIR}/systemd/ OUTPUT_VARIABLE units)
install(FILES ${units} DESTINATION lib/systemd/system COMPONENT runtime)
# Not what is of use in a checkout only: the reference of the API is in the headers, too.
install(DIRECTORY docs/ DESTINATION share/doc/spillway COMPONENT runtime
  FILES_MATCHING PATTERN "*.md" PATTERN api EXCLUDE PATTERN decisions EXCLUDE
  PATTERN contributing.md EXCLUDE PATTERN changelog.md EXCLUDE PATTERN ko/README.md EXCLUDE)
