# spillway_add_plugin(NAME SOURCES...): builds the plugin NAME.so. Used by the examples of this
# project, and by everybody else after find_package(spillway).
function(spillway_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE spillway::mapreduce)
  # Only the plugin's entry is visible, so that two plugins in one process never mix.
  set_target_properties(${name} PROPERTIES
    PREFIX "" CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  # Who names no build type wants a fast plugin.
  target_compile_options(${name} PRIVATE
    $<$<CONFIG:Release,>:-O3>
    $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)  # A unique symbol would forbid unloading.

  if(SPILLWAY_IN_TREE)
    target_link_libraries(${name} PRIVATE spillway_flags)
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${SPILLWAY_PLUGIN_DIR})
    add_dependencies(plugins ${name})
    install(TARGETS ${name} LIBRARY DESTINATION ${SPILLWAY_PLUGIN_DIR} COMPONENT runtime)
    return()
  endif()

  # `spillway run DIR` builds this target, and finds the plugins by the list.
  if(NOT TARGET spillway_plugins)
    add_custom_target(spillway_plugins)
    cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL spillway_list_plugins)
  endif()
  add_dependencies(spillway_plugins ${name})
  set_property(GLOBAL APPEND_STRING PROPERTY SPILLWAY_PLUGINS "$<TARGET_FILE:${name}>\n")
endfunction()

# The paths of all plugins of the project, one a line. Called when all of them are known.
function(spillway_list_plugins)
  get_property(paths GLOBAL PROPERTY SPILLWAY_PLUGINS)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/spillway_plugins.txt CONTENT "${paths}")
endfunction()
