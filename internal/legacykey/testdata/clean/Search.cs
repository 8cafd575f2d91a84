class Search {
    SearchClient client = new SearchClient("app", Environment.GetEnvironmentVariable("ALGOLIA_API_KEY"));
    string run = "31e7aed1-41cb-4c3a-8fdf-7cc6eb8a25fc";
}
