class Maps {
    GeoApiContext context = new GeoApiContext.Builder().apiKey(System.getenv("MAPS_API_KEY")).build();
    String id = "cda79077-1005-4d2c-86cc-057308ec379a";
}
