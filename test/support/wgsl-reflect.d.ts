/** The module that Node can import has no declarations of its own; those of the package describe it. */
declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  export * from 'wgsl_reflect';
}
