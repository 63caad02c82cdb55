// Where does a repository keep its configuration?

export const configurationPath = 'hatchet.yaml';
