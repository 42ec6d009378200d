import ExampleSupport

await Program.main(BCMCtl.self)
